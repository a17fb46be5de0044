//! The nearest name to a mistyped one.

/// The candidate that `name` is most likely meant to be, if one is near enough: at most a third of it differs. The first
/// of equals wins.
pub(super) fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_ascii_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&name, &candidate.to_ascii_lowercase()), candidate))
        .filter(|(distance, candidate)| distance * 3 <= candidate.chars().count().max(3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_only_what_is_near() {
        let names = ["auth.type", "bearer.token", "name"];
        assert_eq!(nearest("auth.tpye", names), Some("auth.type"));
        assert_eq!(nearest("BEARER_TOKEN", names), Some("bearer.token"));
        assert_eq!(nearest("nmae", names), Some("name"));
        assert_eq!(nearest("transforms", names), None);
    }
}
