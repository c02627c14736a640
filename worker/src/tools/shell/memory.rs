//! How much memory processes held at their peak. Only Linux tells; elsewhere nothing is known.

use std::fmt::Display;

/// Processes of one command that are looked at; whoever starts more of them has the largest among the first.
const MOST: usize = 64;

/// Of one process; `self` is this one.
pub(super) fn peak(process: &impl Display) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let kibibytes = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.trim().strip_suffix("kB")?;
    Some(kibibytes.trim().parse::<u64>().ok()? * 1024)
}

/// Of the largest among a process and those below it.
pub(super) fn peak_of_family(process: u32) -> u64 {
    let mut family = vec![process];
    let mut next = 0;
    while let Some(process) = family.get(next) {
        let children = std::fs::read_to_string(format!("/proc/{process}/task/{process}/children"));
        let children = children.unwrap_or_default();
        family.extend(children.split_whitespace().filter_map(|id| id.parse::<u32>().ok()));
        family.truncate(MOST);
        next += 1;
    }
    family.iter().filter_map(peak).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader};
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn a_family_held_as_much_as_its_largest_process() {
        let python = crate::tools::python::Config::from_env().places.interpreter().unwrap();
        let code = "import sys; held = b\"x\" * (30 << 20); print(len(held), flush=True); sys.stdin.read()";
        let line = format!("'{}' -c '{code}'; true", python.display());
        let mut command = Command::new("/bin/sh");
        command.args(["-c", &line]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut holds = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut holds).unwrap();
        let held: u64 = holds.trim().parse().unwrap();
        let (alone, family) = (peak(&child.id()).unwrap(), peak_of_family(child.id()));
        drop(child.stdin.take());
        child.wait().unwrap();
        assert!(alone < held && family >= held, "{alone} {family}");
        assert_eq!(peak_of_family(child.id()), 0);
    }
}
