//! A Protobuf schema, as its text is compiled.

use prost_reflect::FileDescriptor;
use protox::file::{File, FileResolver, GoogleFileResolver};

const NAME: &str = "record.proto";

/// A schema as the only file there is, but for those that are a part of Protobuf.
struct Only(String);

impl FileResolver for Only {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        match name {
            NAME => File::from_source(name, &self.0),
            _ => GoogleFileResolver::new().open_file(name),
        }
    }
}

/// Compiles a schema; `None` if it is none.
pub(crate) fn compile(schema: &str) -> Option<FileDescriptor> {
    let mut compiler = protox::Compiler::with_file_resolver(Only(schema.to_owned()));
    compiler.include_imports(true).open_file(NAME).ok()?;
    compiler.descriptor_pool().get_file_by_name(NAME)
}
