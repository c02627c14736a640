//! The Prometheus text format.

use std::fmt::Write;

#[derive(Debug)]
pub(super) struct Histogram {
    bounds: &'static [f64],
    /// One per bound, and one for everything above.
    counts: Vec<u64>,
    sum: f64,
}

impl Histogram {
    pub(super) fn new(bounds: &'static [f64]) -> Self {
        Self { bounds, counts: vec![0; bounds.len() + 1], sum: 0.0 }
    }

    pub(super) fn observe(&mut self, value: f64) {
        let bucket = self.bounds.partition_point(|bound| *bound < value);
        self.counts[bucket] += 1;
        self.sum += value;
    }
}

#[derive(Default)]
pub(in crate::http) struct Text(String);

impl Text {
    pub(in crate::http) fn counter(&mut self, name: &str, help: &str) {
        self.head(name, help, "counter");
    }

    pub(in crate::http) fn gauge(&mut self, name: &str, help: &str) {
        self.head(name, help, "gauge");
    }

    pub(super) fn histogram(&mut self, name: &str, help: &str, histogram: &Histogram) {
        self.head(name, help, "histogram");
        let bucket = format!("{name}_bucket");
        let mut count = 0;
        for (index, here) in histogram.counts.iter().enumerate() {
            count += here;
            let bound = histogram.bounds.get(index).map_or_else(|| "+Inf".to_owned(), ToString::to_string);
            self.value(&bucket, &[("le", &bound)], count as f64);
        }
        self.value(&format!("{name}_sum"), &[], histogram.sum);
        self.value(&format!("{name}_count"), &[], count as f64);
    }

    pub(in crate::http) fn value(&mut self, name: &str, labels: &[(&str, &str)], value: f64) {
        self.0.push_str(name);
        for (index, (label, text)) in labels.iter().enumerate() {
            self.0.push(if index == 0 { '{' } else { ',' });
            let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            self.write(format_args!("{label}=\"{text}\""));
        }
        if !labels.is_empty() {
            self.0.push('}');
        }
        self.write(format_args!(" {value}\n"));
    }

    pub(super) fn finish(self) -> String {
        self.0
    }

    fn head(&mut self, name: &str, help: &str, kind: &str) {
        self.write(format_args!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
    }

    fn write(&mut self, text: std::fmt::Arguments<'_>) {
        self.0.write_fmt(text).expect("writing to a String does not fail");
    }
}
