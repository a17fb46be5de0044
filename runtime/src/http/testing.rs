//! Servers for tests.

use axum::Router;
use bytes::Bytes;
use reqwest::header::HeaderMap;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use url::Url;

use super::Response;

/// A response from `https://api.test/items` with these headers.
pub(crate) fn response(body: impl Into<Bytes>, headers: &[(&'static str, String)]) -> Response {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.insert(*name, value.parse().unwrap());
    }
    Response { status: 200, body: body.into(), url: "https://api.test/items".parse().unwrap(), headers: map }
}

/// Serves `app` on a port of its own, until the test ends.
pub(crate) async fn serve(app: Router) -> Url {
    let (listener, url) = listen().await;
    tokio::spawn(async move { axum::serve(listener, app).await });
    url
}

/// Answers every connection with the same bytes, whatever is asked, and closes it.
pub(crate) async fn serve_bytes(answer: impl Into<Vec<u8>>) -> Url {
    let answer = answer.into();
    let (listener, url) = listen().await;
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            read_head(&mut stream).await;
            // The client may have what it needs and be gone.
            let _ = stream.write_all(&answer).await;
            let _ = stream.shutdown().await;
        }
    });
    url
}

/// Answers every connection with the same bytes, and then neither goes on nor closes it.
pub(crate) async fn serve_start(start: &'static str) -> Url {
    let (listener, url) = listen().await;
    tokio::spawn(async move {
        let mut streams = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            read_head(&mut stream).await;
            stream.write_all(start.as_bytes()).await.unwrap();
            streams.push(stream);
        }
    });
    url
}

/// The URL of a port where nobody listens, as long as the socket lives.
pub(crate) fn nobody() -> (TcpSocket, Url) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let url = format!("http://{}", socket.local_addr().unwrap()).parse().unwrap();
    (socket, url)
}

/// Asks without the help of a client, and returns status and content of the answer.
pub(crate) async fn ask(url: &Url, method: &str, path: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect((url.host_str().unwrap(), url.port().unwrap())).await.unwrap();
    let length = body.len();
    let request =
        format!("{method} {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, content) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), content.to_owned())
}

async fn listen() -> (TcpListener, Url) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    (listener, url)
}

async fn read_head(stream: &mut TcpStream) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
}
