//! An ordered list of headers.

/// Headers in the order in which they were written or received, duplicates
/// included. Names keep their letter case; look-ups ignore it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, Vec<u8>)>);

impl Headers {
    /// No headers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a header at the end, beside any of the same name.
    pub fn append(&mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) {
        self.0.push((name.into(), value.into()));
    }

    /// Removes every header of this name.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(existing, _)| !existing.eq_ignore_ascii_case(name));
    }

    /// Removes every header of this name, then adds one at the end.
    pub fn set(&mut self, name: &str, value: impl Into<Vec<u8>>) {
        self.remove(name);
        self.append(name, value);
    }

    /// The first value of this name, when it is text.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.get_all(name).next().and_then(|value| std::str::from_utf8(value).ok())
    }

    /// Every value of this name, in order.
    pub fn get_all<'a, 'n>(&'a self, name: &'n str) -> impl Iterator<Item = &'a [u8]> + use<'a, 'n> {
        self.0.iter().filter(move |(existing, _)| existing.eq_ignore_ascii_case(name)).map(|(_, value)| &value[..])
    }

    /// Whether there is a header of this name.
    pub fn contains(&self, name: &str) -> bool {
        self.get_all(name).next().is_some()
    }

    /// All headers in order: name as written, value as bytes.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0.iter().map(|(name, value)| (name.as_str(), &value[..]))
    }

    /// How many headers there are, duplicates counted.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<N: Into<String>, V: Into<Vec<u8>>> FromIterator<(N, V)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(headers: I) -> Self {
        Self(headers.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::Headers;

    #[test]
    fn order_case_and_duplicates_survive() {
        let headers: Headers = [("X-B", "1"), ("x-a", "2"), ("x-b", "3")].into_iter().collect();
        let seen: Vec<_> = headers.iter().map(|(name, value)| (name, value.to_vec())).collect();
        assert_eq!(seen, [("X-B", b"1".to_vec()), ("x-a", b"2".to_vec()), ("x-b", b"3".to_vec())]);
        assert_eq!(headers.get("x-B"), Some("1"));
        assert_eq!(headers.get_all("X-b").count(), 2);
    }

    #[test]
    fn set_replaces_every_duplicate() {
        let mut headers: Headers = [("a", "1"), ("b", "2"), ("A", "3")].into_iter().collect();
        headers.set("a", "4");
        assert_eq!(headers.get_all("a").collect::<Vec<_>>(), [b"4"]);
        assert_eq!(headers.len(), 2);
    }

    #[test]
    fn a_value_that_is_not_text_is_not_found_as_text() {
        let headers: Headers = [("a", vec![0xff])].into_iter().collect();
        assert!(headers.contains("a"));
        assert_eq!(headers.get("a"), None);
    }
}
