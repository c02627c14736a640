//! Stretches of time as people say them, relative to now and to where days begin.

use chrono::{DateTime, Datelike as _, Days, Duration, Months, NaiveDate, NaiveDateTime, NaiveTime, Utc};

use super::calendar::{day_of_month, month, spelled, split_unit, weekday, written_date};
use super::zone::Zone;

/// A stretch, and the words that said it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct When {
    pub(crate) from: DateTime<Utc>,
    /// None: until now.
    pub(crate) until: Option<DateTime<Utc>>,
    /// First and last of its words, the last one left out.
    pub(crate) words: (usize, usize),
}

/// What a time expression is reckoned from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    pub(crate) now: DateTime<Utc>,
    pub(crate) zone: Zone,
}

/// The first stretch of time that words speak of.
pub(crate) fn when(words: &[String], clock: Clock) -> Option<When> {
    (0..words.len()).find_map(|at| {
        let mut reader = Reader { words, at, clock, local: clock.zone.local(clock.now) };
        reader.expression().map(|(from, until)| {
            let until = until.map(|until| clock.zone.utc(until)).filter(|until| *until < clock.now);
            When { from: clock.zone.utc(from).min(clock.now), until, words: (at, reader.at) }
        })
    })
}

type Part = (NaiveDateTime, Option<NaiveDateTime>);

#[derive(Clone)]
struct Reader<'w> {
    words: &'w [String],
    at: usize,
    clock: Clock,
    local: NaiveDateTime,
}

impl Reader<'_> {
    fn peek(&self, ahead: usize) -> &str {
        self.words.get(self.at + ahead).map_or("", String::as_str)
    }

    /// Takes these words, when they come next.
    fn take(&mut self, words: &[&str]) -> bool {
        let comes = words.iter().enumerate().all(|(ahead, word)| self.peek(ahead) == *word);
        if comes {
            self.at += words.len();
        }
        comes
    }

    fn take_any(&mut self, choices: &[&str]) -> bool {
        choices.iter().any(|choice| self.take(&[choice]))
    }

    /// Tries a part; what it took is given back when it fails.
    fn attempt<T>(&mut self, part: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let at = self.at;
        let read = part(self);
        if read.is_none() {
            self.at = at;
        }
        read
    }

    fn expression(&mut self) -> Option<Part> {
        self.attempt(Self::between)
            .or_else(|| self.attempt(Self::since))
            .or_else(|| self.attempt(Self::until))
            .or_else(|| self.attempt(Self::back))
            .or_else(|| self.attempt(Self::named))
    }

    fn between(&mut self) -> Option<Part> {
        let is_between = self.take(&["between"]);
        if !is_between && !self.take(&["from"]) {
            return None;
        }
        let (from, _) = self.named()?;
        if !((is_between && self.take(&["and"])) || self.take_any(&["to", "until", "till", "through"])) {
            return None;
        }
        let (second, end) = self.named()?;
        // "from Monday to Wednesday" means the whole of Wednesday.
        Some((from, Some(end.unwrap_or(second))))
    }

    fn since(&mut self) -> Option<Part> {
        if !self.take_any(&["since", "after", "starting", "from"]) {
            return None;
        }
        self.take_any(&["the", "about", "around"]);
        if let Some(from) = self.attempt(Self::ago) {
            return Some((from.0, None));
        }
        self.named().or_else(|| self.attempt(Self::back)).map(|(from, _)| (from, None))
    }

    fn until(&mut self) -> Option<Part> {
        if !self.take_any(&["until", "till", "before"]) {
            return None;
        }
        let (until, _) = self.named()?;
        Some((until - Duration::days(30), Some(until)))
    }

    /// `in the last 3 days`, `over the past week`, `last 24h`.
    fn back(&mut self) -> Option<Part> {
        let is_led_in = self.take_any(&["in", "over", "during", "within", "for"]);
        let has_the = self.take_any(&["the", "these"]);
        if !self.take_any(&["last", "past", "previous", "recent"]) {
            return None;
        }
        let is_past = self.words.get(self.at - 1).is_some_and(|word| word == "past");
        let count = self.attempt(Self::count);
        let length = self.unit_after(count)?;
        // "last week" is the one before this; "the past week" and "in the last week" are the seven days until now.
        if count.is_none() && !is_past && !(is_led_in && has_the) {
            return None;
        }
        Some((self.local - length, None))
    }

    /// `3 days ago`, `an hour ago`.
    fn ago(&mut self) -> Option<Part> {
        let count = self.count();
        let at = self.at;
        let length = self.unit_after(count)?;
        let unit = self.words.get(at).map(String::as_str).unwrap_or_default().to_owned();
        if !self.take(&["ago"]) {
            return None;
        }
        let from = self.local - length;
        if unit.starts_with("hour") || unit.starts_with("min") || unit == "h" {
            return Some((from, None));
        }
        let day = from.date();
        Some((
            day.and_time(NaiveTime::MIN),
            day.checked_add_days(Days::new(1)).map(|day| day.and_time(NaiveTime::MIN)),
        ))
    }

    fn count(&mut self) -> Option<f64> {
        if self.take(&["couple", "of"]) || self.take(&["a", "couple", "of"]) || self.take(&["couple"]) {
            return Some(2.0);
        }
        if self.take(&["a", "few"]) || self.take_any(&["few", "several"]) {
            return Some(3.0);
        }
        let word = self.peek(0);
        let number = word
            .parse::<f64>()
            .ok()
            .or_else(|| spelled(word))
            .or_else(|| split_unit(word).map(|(count, _)| count))?;
        if split_unit(word).is_none() {
            self.at += 1;
        }
        Some(number)
    }

    fn unit_after(&mut self, count: Option<f64>) -> Option<Duration> {
        let word = self.peek(0).to_owned();
        let unit = split_unit(&word).map_or(word.as_str(), |(_, unit)| unit);
        let seconds = match unit {
            "m" | "min" | "mins" | "minute" | "minutes" => 60.0,
            "h" | "hr" | "hrs" | "hour" | "hours" => 3_600.0,
            "d" | "day" | "days" | "night" | "nights" => 86_400.0,
            "w" | "week" | "weeks" => 604_800.0,
            "fortnight" => 1_209_600.0,
            "month" | "months" => 2_592_000.0,
            "quarter" => 7_776_000.0,
            "year" | "years" => 31_536_000.0,
            _ => return None,
        };
        self.at += 1;
        let length = seconds * count.unwrap_or(1.0);
        (length < 1e9).then(|| Duration::seconds(length as i64))
    }

    /// A day, a night, a week, a month, a date.
    fn named(&mut self) -> Option<Part> {
        while self.take_any(&["on", "in", "at", "the", "over", "during", "of", "around", "about"]) {}
        self.attempt(Self::day_part)
            .or_else(|| self.attempt(Self::relative_day))
            .or_else(|| self.attempt(Self::ago))
            .or_else(|| self.attempt(Self::calendar))
            .or_else(|| self.attempt(Self::weekday))
            .or_else(|| self.attempt(Self::date))
            .or_else(|| self.attempt(Self::hour))
    }

    fn today(&self) -> NaiveDate {
        self.local.date()
    }

    fn days_back(&self, days: u64) -> NaiveDate {
        self.today().checked_sub_days(Days::new(days)).unwrap_or_else(|| self.today())
    }

    /// `last night`, `this morning`, `yesterday evening`.
    fn day_part(&mut self) -> Option<Part> {
        if self.take(&["overnight"])
            || self.take(&["last", "night"])
            || self.take(&["this", "night"])
            || self.take(&["night"])
        {
            return Some(self.night(self.today()));
        }
        let day = if self.take(&["this"]) {
            self.today()
        } else if self.take(&["yesterday"]) {
            self.days_back(1)
        } else if self.take(&["tonight"]) {
            return Some((hour(self.today(), 18), None));
        } else {
            return None;
        };
        let (from, until) = match self.peek(0) {
            "morning" => (5, 12),
            "afternoon" => (12, 18),
            "evening" => (18, 24),
            "night" => {
                self.at += 1;
                let next = day.succ_opt()?;
                return Some(self.night(next));
            }
            _ => return None,
        };
        self.at += 1;
        Some((hour(day, from), Some(hour(day, until))))
    }

    /// The night that ended on this day.
    fn night(&self, day: NaiveDate) -> Part {
        let before = day.pred_opt().unwrap_or(day);
        let morning = hour(day, 8);
        (hour(before, 18), (morning < self.local).then_some(morning))
    }

    fn relative_day(&mut self) -> Option<Part> {
        if self.take(&["day", "before", "yesterday"]) {
            return Some(whole(self.days_back(2)));
        }
        if self.take(&["yesterday"]) {
            return Some(whole(self.days_back(1)));
        }
        if self.take_any(&["today", "midnight"]) {
            return Some((hour(self.today(), 0), None));
        }
        if self.take(&["noon"]) {
            return Some((hour(self.today(), 12), None));
        }
        if self.take(&["this", "hour"]) {
            return Some((self.local - Duration::hours(1), None));
        }
        if self.take(&["ever"]) || self.take(&["all", "time"]) || self.take(&["beginning"]) {
            return Some((self.local - Duration::days(3_650), None));
        }
        None
    }

    fn calendar(&mut self) -> Option<Part> {
        let which = match self.peek(0) {
            "this" | "current" => 0,
            "last" | "previous" => 1,
            "weekend" => {
                self.at += 1;
                return self.weekend();
            }
            _ => return self.month_name(),
        };
        self.at += 1;
        let monday = self.days_back(u64::from(self.today().weekday().num_days_from_monday()));
        let first = self.today().with_day(1)?;
        let part = match self.peek(0) {
            "week" => match which {
                0 => (hour(monday, 0), None),
                _ => (hour(monday.checked_sub_days(Days::new(7))?, 0), Some(hour(monday, 0))),
            },
            "month" => match which {
                0 => (hour(first, 0), None),
                _ => (hour(first.checked_sub_months(Months::new(1))?, 0), Some(hour(first, 0))),
            },
            "year" => {
                let new_year = NaiveDate::from_ymd_opt(first.year(), 1, 1)?;
                match which {
                    0 => (hour(new_year, 0), None),
                    _ => (hour(new_year.checked_sub_months(Months::new(12))?, 0), Some(hour(new_year, 0))),
                }
            }
            "weekend" => {
                self.at += 1;
                return self.weekend();
            }
            "hour" => (self.local - Duration::hours(1), None),
            "day" => (self.local - Duration::days(1), None),
            _ => return None,
        };
        self.at += 1;
        Some(part)
    }

    /// The last one that has begun.
    fn weekend(&self) -> Option<Part> {
        let since_saturday = (self.today().weekday().num_days_from_monday() + 2) % 7;
        let saturday = self.days_back(u64::from(since_saturday));
        let monday = saturday.checked_add_days(Days::new(2))?;
        Some((hour(saturday, 0), Some(hour(monday, 0))))
    }

    fn month_name(&mut self) -> Option<Part> {
        let month = month(self.peek(0))?;
        // "may" is a verb more often than a month, and a number behind a month makes it a date.
        if day_of_month(self.peek(1)).is_some() || self.peek(0) == "may" && !self.is_led_in() {
            return None;
        }
        self.at += 1;
        let year = match self.peek(0).parse::<i32>() {
            Ok(year) if (2000..2200).contains(&year) => {
                self.at += 1;
                year
            }
            _ if month > self.today().month() => self.today().year() - 1,
            _ => self.today().year(),
        };
        let first = NaiveDate::from_ymd_opt(year, month, 1)?;
        Some((hour(first, 0), Some(hour(first.checked_add_months(Months::new(1))?, 0))))
    }

    fn is_led_in(&self) -> bool {
        self.at > 0 && matches!(self.words[self.at - 1].as_str(), "in" | "since" | "during" | "of" | "last")
    }

    fn weekday(&mut self) -> Option<Part> {
        let is_last = self.take(&["last"]);
        self.take(&["this"]);
        let day = weekday(self.peek(0))?;
        self.at += 1;
        let mut back = (7 + self.today().weekday().num_days_from_monday() - day.num_days_from_monday()) % 7;
        if back == 0 && is_last {
            back = 7;
        }
        let day = self.days_back(u64::from(back));
        for (word, from, until) in [("morning", 5, 12), ("afternoon", 12, 18), ("evening", 18, 24)] {
            if self.take(&[word]) {
                return Some((hour(day, from), Some(hour(day, until))));
            }
        }
        if self.take(&["night"]) {
            return Some(self.night(day.succ_opt()?));
        }
        Some(whole(day))
    }

    fn date(&mut self) -> Option<Part> {
        let word = self.peek(0).to_owned();
        if let Ok(moment) = DateTime::parse_from_rfc3339(&word.to_uppercase()) {
            self.at += 1;
            return Some((self.clock.zone.local(moment.with_timezone(&Utc)), None));
        }
        if let Some(day) = written_date(&word, self.today()) {
            self.at += 1;
            return Some(whole(day));
        }
        // "20 november", "20th of november 2026", "november 20".
        let (day, named) = if let Some(day) = day_of_month(&word) {
            self.at += 1;
            self.take(&["of"]);
            let named = month(self.peek(0))?;
            self.at += 1;
            (day, named)
        } else {
            let named = month(&word)?;
            self.at += 1;
            self.take(&["the"]);
            let day = day_of_month(self.peek(0))?;
            self.at += 1;
            (day, named)
        };
        let year = self.peek(0).parse::<i32>().ok().filter(|year| (2000..2200).contains(year));
        if year.is_some() {
            self.at += 1;
        }
        let mut date = NaiveDate::from_ymd_opt(year.unwrap_or(self.today().year()), named, day)?;
        if year.is_none() && date > self.today() {
            date = date.with_year(date.year() - 1)?;
        }
        Some(whole(date))
    }

    /// `3am`, `14:30`, `9 am`: the last time the clock showed it, until an hour after.
    fn hour(&mut self) -> Option<Part> {
        let word = self.peek(0).to_owned();
        let (digits, half) = match word
            .strip_suffix("am")
            .map(|rest| (rest, "am"))
            .or_else(|| word.strip_suffix("pm").map(|rest| (rest, "pm")))
        {
            Some((rest, half)) => (rest.to_owned(), half),
            None if matches!(self.peek(1), "am" | "pm") => {
                (word.clone(), if self.peek(1) == "am" { "am" } else { "pm" })
            }
            None if word.contains(':') => (word.clone(), ""),
            None => return None,
        };
        let (hours, minutes) = digits.split_once(':').unwrap_or((&digits, "0"));
        let (mut hours, minutes) = (hours.parse::<u32>().ok()?, minutes.parse::<u32>().ok()?);
        if half == "pm" && hours < 12 {
            hours += 12;
        } else if half == "am" && hours == 12 {
            hours = 0;
        }
        let time = NaiveTime::from_hms_opt(hours, minutes, 0)?;
        self.at += if half.is_empty() || word.ends_with(half) { 1 } else { 2 };
        let mut at = self.today().and_time(time);
        if at > self.local {
            at -= Duration::days(1);
        }
        Some((at, Some(at + Duration::hours(1))))
    }
}

fn whole(day: NaiveDate) -> Part {
    (hour(day, 0), Some(hour(day, 24)))
}

fn hour(day: NaiveDate, hours: i64) -> NaiveDateTime {
    day.and_time(NaiveTime::MIN) + Duration::hours(hours)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::words::words;

    /// A Friday, 10:30 in Berlin.
    fn clock() -> Clock {
        Clock {
            now: "2026-11-27T09:30:00Z".parse().unwrap(),
            zone: Zone::read(Some("Europe/Berlin")).unwrap(),
        }
    }

    fn read(text: &str) -> String {
        let Some(found) = when(&words(text), clock()) else { return "none".to_owned() };
        let shown = |at: DateTime<Utc>| clock().zone.local(at).format("%m-%d %H:%M").to_string();
        format!("{} to {}", shown(found.from), found.until.map_or_else(|| "now".to_owned(), shown))
    }

    #[test]
    fn stretches_are_understood_as_people_say_them() {
        for (text, expected) in [
            ("what failed today", "11-27 00:00 to now"),
            ("what failed yesterday?", "11-26 00:00 to 11-27 00:00"),
            ("the day before yesterday", "11-25 00:00 to 11-26 00:00"),
            ("why did last night's load fail?", "11-26 18:00 to 11-27 08:00"),
            ("yesterday evening", "11-26 18:00 to 11-27 00:00"),
            ("this morning", "11-27 05:00 to now"),
            ("what fails most this week", "11-23 00:00 to now"),
            ("last week", "11-16 00:00 to 11-23 00:00"),
            ("in the last week", "11-20 10:30 to now"),
            ("over the past 3 days", "11-24 10:30 to now"),
            ("in the last three days", "11-24 10:30 to now"),
            ("last 24h", "11-26 10:30 to now"),
            ("in the past couple of hours", "11-27 08:30 to now"),
            ("since Monday", "11-23 00:00 to now"),
            ("on Tuesday", "11-24 00:00 to 11-25 00:00"),
            ("last friday", "11-20 00:00 to 11-21 00:00"),
            ("since yesterday morning", "11-26 05:00 to now"),
            ("since 9am", "11-27 09:00 to now"),
            ("around 3 am", "11-27 03:00 to 11-27 04:00"),
            ("between Monday and Wednesday", "11-23 00:00 to 11-26 00:00"),
            ("from 2026-11-20 to 2026-11-22", "11-20 00:00 to 11-23 00:00"),
            ("on 2026-11-20", "11-20 00:00 to 11-21 00:00"),
            ("since November 20th", "11-20 00:00 to now"),
            ("on the 20th of november", "11-20 00:00 to 11-21 00:00"),
            ("on 20.11.2026", "11-20 00:00 to 11-21 00:00"),
            ("over the weekend", "11-21 00:00 to 11-23 00:00"),
            ("in october", "10-01 00:00 to 11-01 00:00"),
            ("this month", "11-01 00:00 to now"),
            ("last month", "10-01 00:00 to 11-01 00:00"),
            ("three days ago", "11-24 00:00 to 11-25 00:00"),
            ("since 2 hours ago", "11-27 08:30 to now"),
            ("compare the last two runs", "none"),
            ("the last run", "none"),
            ("may it fail", "none"),
            ("batch size 500", "none"),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn zones_have_names_or_distances() {
        for known in [None, Some("Europe/Berlin"), Some("UTC"), Some("+05:30"), Some("-08:00")] {
            assert!(Zone::read(known).is_some(), "{known:?}");
        }
        assert!(Zone::read(Some("Middle/Earth")).is_none());
    }
}
