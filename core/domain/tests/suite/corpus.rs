//! Log sets in the manner of many systems, with the template of every line known.
//!
//! A set is a file under `corpus/`: how often, then the line with its values as `‹kind›`.
//! A seed decides values and order; two runs with one seed give the same lines.

/// Name and text of every set.
pub(crate) const SETS: [(&str, &str); 17] = [
    ("block-store", include_str!("../corpus/block-store.txt")),
    ("map-reduce", include_str!("../corpus/map-reduce.txt")),
    ("dataflow", include_str!("../corpus/dataflow.txt")),
    ("quorum", include_str!("../corpus/quorum.txt")),
    ("cloud", include_str!("../corpus/cloud.txt")),
    ("supercomputer", include_str!("../corpus/supercomputer.txt")),
    ("cluster", include_str!("../corpus/cluster.txt")),
    ("syslog-cluster", include_str!("../corpus/syslog-cluster.txt")),
    ("servicing", include_str!("../corpus/servicing.txt")),
    ("pam-host", include_str!("../corpus/pam-host.txt")),
    ("desktop", include_str!("../corpus/desktop.txt")),
    ("handset", include_str!("../corpus/handset.txt")),
    ("wearable", include_str!("../corpus/wearable.txt")),
    ("web-server", include_str!("../corpus/web-server.txt")),
    ("secure-shell", include_str!("../corpus/secure-shell.txt")),
    ("tunnel", include_str!("../corpus/tunnel.txt")),
    ("workflow", include_str!("../corpus/workflow.txt")),
];

/// A line, and the number of the template it was made from.
pub(crate) type Labelled = (String, usize);

/// The lines of a set.
pub(crate) fn lines(set: &str, seed: u64) -> Vec<Labelled> {
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut lines = Vec::new();
    for (label, line) in set.lines().filter(|line| !line.is_empty()).enumerate() {
        let (count, template) = line.split_once(' ').expect("a count and a template");
        for _ in 0..count.parse::<usize>().expect("a count") {
            lines.push((fill(template, &mut random), label));
        }
    }
    for at in (1..lines.len()).rev() {
        lines.swap(at, random.below(at as u64 + 1) as usize);
    }
    lines
}

fn fill(template: &str, random: &mut Random) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('‹') {
        let (kind, after) = after.split_once('›').expect("a closed place");
        out.push_str(before);
        out.push_str(&value(kind, random));
        rest = after;
    }
    out + rest
}

fn value(kind: &str, random: &mut Random) -> String {
    if let Some(item) = kind.strip_prefix("list:") {
        let many = 1 + random.below(6);
        return (0..many).map(|_| value(item, random)).collect::<Vec<_>>().join(" ");
    }
    let hex = |digits: usize, random: &mut Random| -> String {
        (0..digits).map(|_| char::from_digit(random.below(16) as u32, 16).expect("a digit")).collect()
    };
    match kind {
        "n" => random.spread().to_string(),
        "N" => (random.next() >> 20 | 1 << 40).to_string(),
        "f" => format!("{}.{:02}", random.spread(), random.below(100)),
        "hex" => hex(1 + random.below(14) as usize, random),
        "hex2" => hex(2, random),
        "hex4" => hex(4, random),
        "hex7" => hex(7, random),
        "hex8" => hex(8, random),
        "hex12" => hex(12, random),
        "hex16" => hex(16, random),
        "hex32" => hex(32, random),
        "ip" => ip(random),
        "port" => (1024 + random.below(60000)).to_string(),
        "ipport" => format!("{}:{}", ip(random), 1024 + random.below(60000)),
        "blk" => format!("blk_{}{}", if random.below(2) == 0 { "-" } else { "" }, random.next() >> 3),
        "uuid" => format!(
            "{}-{}-{}-{}-{}",
            hex(8, random),
            hex(4, random),
            hex(4, random),
            hex(4, random),
            hex(12, random)
        ),
        "piece" if random.below(2) == 0 => format!("rdd_{}_{}", random.spread(), random.spread()),
        "piece" => format!("broadcast_{}_piece0", random.spread()),
        "mac" => (0..6).map(|_| hex(2, random)).collect::<Vec<_>>().join(":"),
        "path" => {
            let depth = 1 + random.below(5);
            let part = |random: &mut Random| {
                format!("/{}{}", random.word(), ["", ".txt", "-7", "_x"][random.below(4) as usize])
            };
            format!("/{}", random.word()) + &(0..depth).map(|_| part(random)).collect::<String>()
        }
        "url" => {
            format!("https://{}/{}/{}?id={}", host(random), random.word(), random.spread(), random.spread())
        }
        "host" => host(random),
        "ip|host" => {
            if random.below(2) == 0 {
                ip(random)
            } else {
                host(random)
            }
        }
        "user" => random.user().to_owned(),
        "rootish" => {
            if random.below(10) < 8 {
                "root".to_owned()
            } else {
                random.user().to_owned()
            }
        }
        "word" => random.word().to_owned(),
        "pkg" => format!("com.{}.{}", random.word(), random.word()),
        "class" => {
            format!("org.apache.hadoop.mapreduce.v2.{}.{}Event", random.word(), capital(random.word()))
        }
        "clock" => format!("{:02}:{:02}:{:02}", random.below(24), random.below(60), random.below(60)),
        "date" => {
            format!("20{:02}-{:02}-{:02}", random.below(30), 1 + random.below(12), 1 + random.below(28))
        }
        "date2" => format!("20{:02}/{}/{}", random.below(30), 1 + random.below(12), 1 + random.below(28)),
        "year" => format!("20{:02}", random.below(30)),
        "mon" => {
            ["Jan", "Feb", "Mar", "Apr", "Jun", "Jul", "Sep", "Nov"][random.below(8) as usize].to_owned()
        }
        "day" => ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"][random.below(7) as usize].to_owned(),
        "ksize" => format!(
            "{}.{} {}",
            random.spread(),
            random.below(10),
            ["B", "KB", "MB"][random.below(3) as usize]
        ),
        "life" => match random.below(3) {
            0 => "<1 sec".to_owned(),
            1 => format!("{:02}:{:02}", random.below(60), random.below(60)),
            _ => format!("{}:{:02}:{:02}", random.below(9), random.below(60), random.below(60)),
        },
        choice => {
            let words: Vec<&str> = choice.split('|').collect();
            assert!(
                words.len() > 1 || choice.contains(',') || choice == "alt",
                "{choice} is not a kind of value"
            );
            words[random.below(words.len() as u64) as usize].to_owned()
        }
    }
}

fn ip(random: &mut Random) -> String {
    format!("{}.{}.{}.{}", 1 + random.below(220), random.below(256), random.below(256), random.below(256))
}

fn host(random: &mut Random) -> String {
    let tail = ["com", "net", "org", "de", "co.uk", "edu.cn"][random.below(6) as usize];
    match random.below(3) {
        0 => format!("{}.{tail}", random.word()),
        1 => format!("{}-{}.{}.{tail}", random.word(), random.below(300), random.word()),
        _ => format!("{}.{}.{tail}", random.word(), random.word()),
    }
}

fn capital(word: &str) -> String {
    let (first, rest) = word.split_at(1);
    first.to_uppercase() + rest
}

/// A generator that a seed repeats exactly.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }

    /// Small numbers often, large ones sometimes.
    fn spread(&mut self) -> u64 {
        let digits = 1 + self.below(5) as u32;
        self.below(10_u64.pow(digits))
    }

    fn word(&mut self) -> &'static str {
        WORDS[self.below(WORDS.len() as u64) as usize]
    }

    /// A few names come often, most once.
    fn user(&mut self) -> &'static str {
        let limit = if self.below(2) == 0 { 4 } else { USERS.len() as u64 };
        USERS[self.below(limit) as usize]
    }
}

const WORDS: [&str; 48] = [
    "orders",
    "customers",
    "invoice",
    "ledger",
    "report",
    "daily",
    "metrics",
    "gateway",
    "billing",
    "tokens",
    "weather",
    "amsterdam",
    "loader",
    "staging",
    "archive",
    "bucket",
    "parquet",
    "cursor",
    "retry",
    "falcon",
    "heron",
    "maple",
    "cedar",
    "birch",
    "harbor",
    "canyon",
    "delta",
    "lambda",
    "sigma",
    "omega",
    "quartz",
    "granite",
    "saturn",
    "jupiter",
    "venus",
    "products",
    "shipment",
    "returns",
    "payments",
    "refunds",
    "profile",
    "avatar",
    "session",
    "basket",
    "coupon",
    "vendor",
    "region",
    "country",
];

const USERS: [&str; 32] = [
    "admin",
    "oracle",
    "test",
    "webmaster",
    "guest",
    "mysql",
    "git",
    "pgadmin",
    "ubuntu",
    "nagios",
    "ftpuser",
    "alice",
    "bob",
    "carol",
    "dave",
    "eve",
    "mallory",
    "peggy",
    "trent",
    "walter",
    "zabbix",
    "jenkins",
    "tomcat",
    "hadoop",
    "spark",
    "kafka",
    "redis",
    "www",
    "backup",
    "postgres",
    "support",
    "info",
];
