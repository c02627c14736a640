//! Two hundred shapes of error messages: twenty ways to fail, in ten places each.

/// How many different templates [`message`] makes.
pub(crate) const COUNT: u64 = 200;

const PLACES: [&str; 10] = [
    "orders",
    "customers",
    "prices",
    "invoices",
    "shipments",
    "returns",
    "stock",
    "payments",
    "reports",
    "images",
];

/// `shape` below [`COUNT`] chooses the template, `salt` the particulars.
pub(crate) fn message(shape: u64, salt: u64) -> String {
    let place = PLACES[(shape / 20 % 10) as usize];
    let (n, host, port) = (salt % 9_973, salt % 250, 1_024 + salt % 60_000);
    match shape % 20 {
        0 => format!("connection to {place} at 10.0.0.{host}:{port} refused"),
        1 => format!("timeout after {n} ms while reading {place}"),
        2 => format!("HTTP 503 response: {place} is not available, try again in {n} seconds"),
        3 => format!("HTTP 401 response: token expired for client {salt:016x} of {place}"),
        4 => format!("HTTP 404 response: no {place} with id {n}"),
        5 => format!("UNIQUE constraint failed: {place}.email (row {n})"),
        6 => format!("deadlock detected while updating {place}: process {n} waits for process {port}"),
        7 => format!("KeyError: 'price' in element {n} of {place}"),
        8 => format!("ValueError: invalid literal for int() with base 10: 'x{n}' in {place}"),
        9 => format!("disk quota exceeded while writing /var/lib/{place}/{salt:08x}.parquet"),
        10 => format!("certificate of {place}.example.com expired {n} hours ago"),
        11 => format!("rate limit of {place} reached: {n} requests in 60 seconds"),
        12 => format!("column total of table {place} does not exist at character {n}"),
        13 => format!("out of memory: cannot allocate {n} MiB for sorting {place}"),
        14 => format!("permission denied for relation {place} to user worker_{n}"),
        15 => format!("unexpected end of JSON input at byte {n} of {place}"),
        16 => format!("cannot resolve host {place}-{host}.internal.example.com"),
        17 => format!("checksum of part {n} of {place} differs: {salt:016x}"),
        18 => format!("TypeError: unsupported operand types in {place}, line {n}"),
        _ => format!("queue {place} is full: {n} messages wait"),
    }
}
