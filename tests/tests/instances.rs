//! Several instances of one source on a real Kafka: they share its streams, and whatever happens to one of them, every record
//! stands in Kafka once, in the order of its stream.

#![allow(clippy::unwrap_used, clippy::panic, reason = "this is a test, helpers included")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use headwater_tests::fleet::SHARDS;
use headwater_tests::{Fleet, Instance, real_parts};
use serde_json::{Value, json};

/// How many streams there are, and how many records each gets at a time: a hundred pages.
const STREAMS: usize = 8;
const MORE: usize = 2_000;

/// How many records a page has, and how long it takes.
const PAGE: usize = 20;
const PAUSE: Duration = Duration::from_millis(4);

/// Has the streams be in the middle of something.
fn under_way(fleet: &Fleet) -> usize {
    let before = fleet.total().unwrap();
    let count = fleet.add(MORE);
    fleet.await_total(before + 1).unwrap();
    count * STREAMS
}

fn assert_complete(fleet: &Fleet, total: usize) {
    fleet.await_total(total).unwrap();
    let faults = fleet.faults().unwrap();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// What of `before` an instance still has began there and has run on since.
fn assert_undisturbed(instance: &Instance, kept: &BTreeSet<i32>, starts: &BTreeMap<i32, u64>) {
    let now = instance.starts();
    for shard in kept {
        assert_eq!(now.get(shard), starts.get(shard), "shard {shard} has begun again, though nobody else had it");
    }
}

#[test]
fn streams_move_to_who_comes_and_from_who_goes_and_nothing_else_moves() {
    let Some(parts) = real_parts().unwrap() else { return };
    let mut fleet = Fleet::new(&parts.bootstrap, STREAMS, PAGE, PAUSE).unwrap();
    let mut first = fleet.start().unwrap();
    let [alone] = fleet.await_shared(&mut [&mut first]).unwrap().try_into().unwrap();
    assert_eq!(alone.len(), SHARDS);
    let total = under_way(&fleet);

    // Half of the shards move to the second; the others run on.
    let starts = first.starts();
    let mut second = fleet.start().unwrap();
    let [of_first, of_second] = fleet.await_shared(&mut [&mut first, &mut second]).unwrap().try_into().unwrap();
    assert_eq!((of_first.len(), of_second.len()), (SHARDS / 2, SHARDS / 2));
    assert_undisturbed(&first, &of_first, &starts);
    assert_complete(&fleet, total);

    // A third takes from both no more than it needs.
    let total = under_way(&fleet);
    let starts = [first.starts(), second.starts()];
    let mut third = fleet.start().unwrap();
    let shared = fleet.await_shared(&mut [&mut first, &mut second, &mut third]).unwrap();
    for (instance, (kept, (had, starts))) in
        [&first, &second].into_iter().zip(shared.iter().zip([of_first, of_second].iter().zip(&starts)))
    {
        assert!(kept.is_subset(had), "{had:?} became {kept:?}");
        assert_undisturbed(instance, kept, starts);
    }
    assert_complete(&fleet, total);

    // One that stops says so, and the others take over what it had, and keep what they have.
    let total = under_way(&fleet);
    let starts = [second.starts(), third.starts()];
    first.stop().unwrap();
    let left = fleet.await_shared(&mut [&mut second, &mut third]).unwrap();
    for (instance, (had, (has, starts))) in
        [&second, &third].into_iter().zip(shared[1..].iter().zip(left.iter().zip(&starts)))
    {
        assert!(had.is_subset(has), "{had:?} became {has:?}");
        assert_undisturbed(instance, had, starts);
    }
    assert_complete(&fleet, total);
}

#[test]
fn when_one_is_killed_the_others_take_over() {
    let Some(parts) = real_parts().unwrap() else { return };
    let mut fleet = Fleet::new(&parts.bootstrap, STREAMS, PAGE, PAUSE).unwrap();
    let (mut first, mut second, mut third) = (fleet.start().unwrap(), fleet.start().unwrap(), fleet.start().unwrap());
    fleet.await_shared(&mut [&mut first, &mut second, &mut third]).unwrap();
    let total = under_way(&fleet);
    second.kill().unwrap();
    fleet.await_shared(&mut [&mut first, &mut third]).unwrap();
    assert_complete(&fleet, total);
    let total = under_way(&fleet);
    first.kill().unwrap();
    fleet.await_shared(&mut [&mut third]).unwrap();
    assert_complete(&fleet, total);
}

#[test]
fn one_that_was_suspended_writes_nothing_twice_and_comes_back() {
    let Some(parts) = real_parts().unwrap() else { return };
    let mut fleet = Fleet::new(&parts.bootstrap, STREAMS, PAGE, PAUSE).unwrap();
    let (mut first, mut second) = (fleet.start().unwrap(), fleet.start().unwrap());
    fleet.await_shared(&mut [&mut first, &mut second]).unwrap();
    for _ in 0..2 {
        let total = under_way(&fleet);
        second.signal("STOP").unwrap();
        // Its session is over: the first has everything.
        fleet.await_shared(&mut [&mut first]).unwrap();
        // So there is something to write twice when it goes on.
        let total = total.max(under_way(&fleet));
        second.signal("CONT").unwrap();
        fleet.await_shared(&mut [&mut first, &mut second]).unwrap();
        assert_complete(&fleet, total);
    }
    first.stop().unwrap();
    second.stop().unwrap();
}

#[test]
fn there_can_be_more_instances_than_streams() {
    let Some(parts) = real_parts().unwrap() else { return };
    let mut fleet = Fleet::new(&parts.bootstrap, 1, PAGE, PAUSE).unwrap();
    let mut instances: Vec<_> = (0..3).map(|_| fleet.start().unwrap()).collect();
    let all = |instances: &mut Vec<Instance>| {
        let mut all: Vec<_> = instances.iter_mut().collect();
        fleet.await_shared(&mut all).unwrap();
    };
    all(&mut instances);
    while instances.len() > 1 {
        let count = fleet.add(MORE);
        // The one that reads goes.
        let reader = instances.iter().position(|instance| instance.streams() == 1).unwrap();
        instances.remove(reader).kill().unwrap();
        all(&mut instances);
        assert_eq!(instances.iter().map(Instance::streams).sum::<usize>(), 1);
        assert_complete(&fleet, count);
    }
}

#[test]
fn without_transactions_what_is_handed_over_in_order_is_there_once_too() {
    let Some(parts) = real_parts().unwrap() else { return };
    let mut fleet = Fleet::new(&parts.bootstrap, STREAMS, PAGE, PAUSE).unwrap();
    fleet.set("exactly.once.support", "disabled");
    let mut first = fleet.start().unwrap();
    fleet.await_shared(&mut [&mut first]).unwrap();
    let total = under_way(&fleet);
    let mut second = fleet.start().unwrap();
    fleet.await_shared(&mut [&mut first, &mut second]).unwrap();
    first.stop().unwrap();
    fleet.await_shared(&mut [&mut second]).unwrap();
    assert_complete(&fleet, total);
}

#[test]
fn the_brokers_can_assign_and_members_can_be_static() {
    let Some(parts) = real_parts().unwrap() else { return };
    // The protocol of KIP-848.
    let mut fleet = Fleet::new(&parts.bootstrap, STREAMS, PAGE, PAUSE).unwrap();
    fleet.unset("consumer.override.session.timeout.ms");
    fleet.set("group.protocol", "consumer");
    let mut first = fleet.start().unwrap();
    fleet.await_shared(&mut [&mut first]).unwrap();
    let total = under_way(&fleet);
    let mut second = fleet.start().unwrap();
    fleet.await_shared(&mut [&mut first, &mut second]).unwrap();
    first.stop().unwrap();
    fleet.await_shared(&mut [&mut second]).unwrap();
    assert_complete(&fleet, total);
    drop(second);

    // KIP-345: who comes back under its name has what it had, and nothing has moved meanwhile.
    let mut fleet = Fleet::new(&parts.bootstrap, STREAMS, PAGE, PAUSE).unwrap();
    fleet.set("consumer.override.session.timeout.ms", "60000");
    fleet.set("group.instance.id", "a");
    let mut first = fleet.start().unwrap();
    fleet.await_shared(&mut [&mut first]).unwrap();
    fleet.set("group.instance.id", "b");
    let mut second = fleet.start().unwrap();
    let [of_first, of_second] = fleet.await_shared(&mut [&mut first, &mut second]).unwrap().try_into().unwrap();
    let starts = first.starts();
    let total = under_way(&fleet);
    second.kill().unwrap();
    let mut second = fleet.start().unwrap();
    let again = fleet.await_shared(&mut [&mut first, &mut second]).unwrap();
    assert_eq!(again, [of_first.clone(), of_second]);
    assert_undisturbed(&first, &of_first, &starts);
    assert_complete(&fleet, total);
}

#[test]
fn offsets_are_changed_while_all_are_stopped_and_all_go_on_from_them() {
    let Some(parts) = real_parts().unwrap() else { return };
    let streams = 4;
    let mut fleet = Fleet::new(&parts.bootstrap, streams, PAGE, PAUSE).unwrap();
    let (mut first, mut second) = (fleet.start().unwrap(), fleet.start().unwrap());
    fleet.await_shared(&mut [&mut first, &mut second]).unwrap();
    fleet.add(200);
    fleet.await_total(200 * streams).unwrap();

    let patch = |operation: &str, offset: Value| {
        let offsets = json!({ "offsets": [{ "partition": { "operation": operation }, "offset": offset }] });
        first.ask("PATCH", "offsets", &offsets).unwrap()
    };
    let offsets = || {
        let (status, offsets) = first.ask("GET", "offsets", &Value::Null).unwrap();
        assert_eq!(status, 200, "{offsets}");
        let of =
            |it: &Value| (it["partition"]["operation"].as_str().unwrap().to_owned(), it["offset"]["offset"].clone());
        offsets["offsets"].as_array().unwrap().iter().map(of).collect::<BTreeMap<_, _>>()
    };
    let at = |first: &str| {
        let others = ["api2", "api3", "api4"].map(|api| (api.to_owned(), json!("200")));
        BTreeMap::from_iter(others.into_iter().chain([("api1".to_owned(), json!(first))]))
    };
    assert_eq!(offsets(), at("200"));
    let (status, refusal) = patch("api1", json!({ "offset": "150" }));
    assert_eq!(status, 400, "{refusal}");
    assert!(refusal["message"].as_str().unwrap().contains("must be stopped"), "{refusal}");

    // Whoever is told, all stop.
    assert_eq!(second.ask("PUT", "stop", &Value::Null).unwrap().0, 204);
    let await_state = |instance: &Instance, wanted: &str| loop {
        let (_, status) = instance.ask("GET", "status", &Value::Null).unwrap();
        if status["connector"]["state"] == wanted {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    await_state(&first, "STOPPED");
    let count = fleet.add(100);
    for (operation, offset) in [("api9", json!({ "offset": "1" })), ("api1", json!({ "offset": "x" }))] {
        let (status, refusal) = patch(operation, offset);
        assert_eq!(status, 400, "{refusal}");
    }
    assert_eq!(offsets(), at("200"));
    let (status, told) = patch("api1", json!({ "offset": "150" }));
    assert_eq!(
        (status, &told["message"]),
        (200, &json!("The offsets for this connector have been altered successfully"))
    );
    assert_eq!(offsets(), at("150"));
    let (log, was) = (first.log(), r#"{"offset":"200"}"#);
    let audit = log.lines().find(|line| line.contains("an offset was changed")).unwrap();
    for told in ["audit", "user=\"anonymous\"", "address=127.0.0.1:", "operation=\"api1\"", &format!("before={was:?}")]
    {
        assert!(audit.contains(told), "{told} is not in {audit}");
    }
    // One that comes meanwhile is stopped, too.
    let mut third = fleet.start().unwrap();
    await_state(&third, "STOPPED");
    assert_eq!(first.ask("PUT", "resume", &Value::Null).unwrap().0, 202);
    fleet.await_total(count * streams + 50).unwrap();
    let written = fleet.written().unwrap();
    let expected: Vec<usize> = (0..200).chain(150..count).collect();
    assert_eq!(written[&1], expected);
    for stream in 2..=streams {
        assert_eq!(written[&stream], (0..count).collect::<Vec<_>>());
    }

    // Everything again.
    assert_eq!(second.ask("PUT", "stop", &Value::Null).unwrap().0, 204);
    assert_eq!(second.ask("DELETE", "offsets", &Value::Null).unwrap().0, 200);
    assert_eq!(second.ask("GET", "offsets", &Value::Null).unwrap(), (200, json!({ "offsets": [] })));
    assert_eq!(second.ask("PUT", "resume", &Value::Null).unwrap().0, 202);
    fleet.await_total(2 * count * streams + 50).unwrap();
    fleet.await_shared(&mut [&mut first, &mut second, &mut third]).unwrap();
    let written = fleet.written().unwrap();
    assert_eq!(written[&2], (0..count).chain(0..count).collect::<Vec<_>>());
}
