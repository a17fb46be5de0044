use super::*;

fn shards<const N: usize>(shards: [i32; N]) -> BTreeSet<i32> {
    shards.into()
}

fn claim(shard: i32, number: u64) -> Claim {
    Claim { shard, number }
}

/// An assignment of these shards, all of which run.
fn running<const N: usize>(numbers: [i32; N]) -> (Assignment, [Claim; N]) {
    let mut assignment = Assignment::default();
    let steps = assignment.assigned(&shards(numbers));
    let mut claims = steps.into_iter().map(|step| match step {
        Step::Fence { claim, attempt: 0 } => claim,
        other => panic!("{other:?}"),
    });
    let claims = [(); N].map(|()| claims.next().unwrap());
    for claim in claims {
        assignment.fenced(claim);
    }
    assert_eq!(assignment.restored(&claims), claims.map(Step::Run));
    (assignment, claims)
}

#[test]
fn shards_are_fenced_then_read_together_then_run() {
    let mut assignment = Assignment::default();
    let [one, two] = [claim(1, 0), claim(2, 1)];
    let fence = |claim| Step::Fence { claim, attempt: 0 };
    assert_eq!(assignment.assigned(&shards([1, 2])), [fence(one), fence(two)]);
    assert_eq!(assignment.fenced(two), []);
    assert_eq!(assignment.fenced(one), [Step::Restore(vec![one, two])]);
    assert_eq!(assignment.restored(&[one, two]), [Step::Run(one), Step::Run(two)]);
    assert!(!assignment.has_ended());
    assert_eq!((assignment.ended(one), assignment.ended(two)), (vec![], vec![]));
    assert!(assignment.has_ended() && !assignment.is_empty());
}

#[test]
fn what_is_asked_for_is_free_when_all_of_it_has_ended() {
    let (mut assignment, [one, two, three]) = running([1, 2, 3]);
    assert_eq!(assignment.revoked(&shards([1, 2, 9])), [Step::Stop(one), Step::Stop(two)]);
    assert_eq!(assignment.ended(two), [Step::Drop(two)]);
    assert_eq!(assignment.ended(one), [Step::Drop(one), Step::Release]);
    assert!(assignment.holds(three) && !assignment.holds(one));
    // What has no streams is free at once.
    assert_eq!(assignment.revoked(&shards([7])), [Step::Release]);
}

#[test]
fn what_is_not_free_in_time_is_broken_off() {
    let (mut assignment, [one, two]) = running([1, 2]);
    assignment.revoked(&shards([1]));
    assert_eq!(assignment.overdue(), [Step::Drop(one), Step::Release]);
    assert_eq!(assignment.ended(one), [], "it comes too late");
    assert!(assignment.holds(two));
}

#[test]
fn a_producer_that_is_on_its_way_is_waited_for_before_the_shard_is_free() {
    let mut assignment = Assignment::default();
    assignment.assigned(&shards([1]));
    assert_eq!(assignment.revoked(&shards([1])), []);
    assert_eq!(assignment.fenced(claim(1, 0)), [Step::Drop(claim(1, 0)), Step::Release]);
    // One that is tried again is not: the group has been asked before it is.
    let (mut assignment, [one]) = running([1]);
    assert_eq!(assignment.failed(one, true), [Step::Fence { claim: one, attempt: 1 }]);
    assert_eq!(assignment.revoked(&shards([1])), [Step::Drop(one), Step::Release]);
}

#[test]
fn attempts_count_until_something_is_committed_and_do_not_hold_others_up() {
    let (mut assignment, [one]) = running([1]);
    for attempt in 1..4 {
        assert_eq!(assignment.failed(one, attempt == 1), [Step::Fence { claim: one, attempt }]);
    }
    let two = claim(2, 1);
    assignment.assigned(&shards([2]));
    assert_eq!(assignment.fenced(two), [Step::Restore(vec![two])]);
}

#[test]
fn what_is_lost_is_dropped_and_what_was_begun_for_it_does_not_count() {
    let (mut assignment, [one, two]) = running([1, 2]);
    assert_eq!(assignment.lost(&shards([1])), [Step::Drop(one)]);
    assignment.assigned(&shards([1]));
    assert_eq!((assignment.failed(one, true), assignment.ended(one), assignment.fenced(one)), (vec![], vec![], vec![]));
    assert_eq!(assignment.stop(), [Step::Drop(claim(1, 2)), Step::Stop(two)]);
    assert_eq!(assignment.ended(two), [Step::Drop(two)]);
    assert!(assignment.is_empty());
}
