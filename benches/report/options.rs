//! What a measurement is told on the command line.

#[derive(Debug, Default)]
pub(crate) struct Options {
    only: Option<String>,
    pub(crate) json: Option<String>,
    quick: bool,
}

impl Options {
    pub(crate) fn read() -> Self {
        let mut options = Self::default();
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            match word.as_str() {
                "--only" => options.only = words.next(),
                "--json" => options.json = words.next(),
                "--quick" => options.quick = true,
                _ => {}
            }
        }
        options
    }

    pub(crate) fn wants(&self, name: &str) -> bool {
        self.only.as_ref().is_none_or(|only| name.contains(only.as_str()))
    }

    /// A size, or the one that only shows that everything runs.
    pub(crate) fn scale(&self, full: u64, quick: u64) -> u64 {
        if self.quick { quick } else { full }
    }
}
