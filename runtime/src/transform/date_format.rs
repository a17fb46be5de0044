//! Times by a pattern of Java's `SimpleDateFormat`, in UTC and in English.

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// A pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DateFormat {
    pattern: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    /// A letter, and how often it stands there.
    Field(char, usize),
}

impl DateFormat {
    /// Reads a pattern; `None` if it has letters that mean nothing, or weeks and eras.
    pub(crate) fn parse_pattern(pattern: &str) -> Option<Self> {
        let mut parts: Vec<Part> = Vec::new();
        let mut chars = pattern.chars().peekable();
        let text = |parts: &mut Vec<Part>, c: char| match parts.last_mut() {
            Some(Part::Text(text)) => text.push(c),
            _ => parts.push(Part::Text(c.to_string())),
        };
        while let Some(c) = chars.next() {
            match c {
                '\'' if chars.next_if_eq(&'\'').is_some() => text(&mut parts, '\''),
                '\'' => loop {
                    match chars.next()? {
                        '\'' if chars.next_if_eq(&'\'').is_some() => text(&mut parts, '\''),
                        '\'' => break,
                        c => text(&mut parts, c),
                    }
                },
                'y' | 'M' | 'L' | 'd' | 'D' | 'E' | 'u' | 'a' | 'H' | 'k' | 'K' | 'h' | 'm' | 's' | 'S' | 'z' | 'Z'
                | 'X' => {
                    let mut count = 1;
                    while chars.next_if_eq(&c).is_some() {
                        count += 1;
                    }
                    if c == 'X' && count > 3 {
                        return None;
                    }
                    parts.push(Part::Field(c, count));
                }
                c if c.is_ascii_alphabetic() => return None,
                c => text(&mut parts, c),
            }
        }
        Some(Self { pattern: pattern.to_owned(), parts })
    }

    /// The pattern as text.
    pub(crate) fn pattern(&self) -> &str {
        &self.pattern
    }

    /// Writes milliseconds since 1970-01-01T00:00:00Z; what lies beyond the years -9999 to 9999 as these.
    pub(crate) fn format(&self, millis: i64) -> String {
        let limited = millis.clamp(Timestamp::MIN.as_millisecond() + 1, Timestamp::MAX.as_millisecond());
        let at = Timestamp::from_millisecond(limited).unwrap_or_default().to_zoned(TimeZone::UTC);
        let mut text = String::new();
        for part in &self.parts {
            let (letter, count) = match part {
                Part::Text(literal) => {
                    text.push_str(literal);
                    continue;
                }
                Part::Field(letter, count) => (*letter, *count),
            };
            let number = |value: i64| format!("{value:0count$}");
            let named = |names: &[&str], index: usize| {
                let name = names.get(index).copied().unwrap_or_default();
                if count >= 4 { name.to_owned() } else { name.chars().take(3).collect() }
            };
            let hour = i64::from(at.hour());
            text.push_str(&match letter {
                'y' if count == 2 => format!("{:02}", at.year().rem_euclid(100)),
                'y' => number(at.year().into()),
                'M' | 'L' if count >= 3 => named(&MONTHS, usize::from(at.month().unsigned_abs()) - 1),
                'M' | 'L' => number(at.month().into()),
                'd' => number(at.day().into()),
                'D' => number(at.day_of_year().into()),
                'E' => named(&WEEKDAYS, usize::from(at.weekday().to_monday_zero_offset().unsigned_abs())),
                'u' => number(at.weekday().to_monday_one_offset().into()),
                'a' => if hour < 12 { "AM" } else { "PM" }.to_owned(),
                'H' => number(hour),
                'k' => number(if hour == 0 { 24 } else { hour }),
                'K' => number(hour % 12),
                'h' => number(if hour % 12 == 0 { 12 } else { hour % 12 }),
                'm' => number(at.minute().into()),
                's' => number(at.second().into()),
                'S' => number(at.millisecond().into()),
                'z' if count >= 4 => "Coordinated Universal Time".to_owned(),
                'z' => "UTC".to_owned(),
                'Z' => "+0000".to_owned(),
                _ => "Z".to_owned(),
            });
        }
        text
    }

    /// Reads a text as Java does: numbers may go beyond what they count, and what follows the pattern is ignored.
    pub(crate) fn parse(&self, text: &str) -> Option<i64> {
        let mut found = Found::default();
        let mut rest = text;
        for (index, part) in self.parts.iter().enumerate() {
            match part {
                Part::Text(literal) => rest = rest.strip_prefix(literal.as_str())?,
                Part::Field(letter, count) => {
                    let abuts = matches!(self.parts.get(index + 1), Some(Part::Field(next, next_count)) if is_number(*next, *next_count));
                    rest = found.read(*letter, *count, abuts, rest)?;
                }
            }
        }
        found.millis()
    }
}

/// Whether a field is written in digits.
fn is_number(letter: char, count: usize) -> bool {
    match letter {
        'M' | 'L' => count < 3,
        letter => !matches!(letter, 'E' | 'a' | 'z' | 'Z' | 'X'),
    }
}

/// What a text says of a time.
#[derive(Default)]
struct Found {
    year: Option<i64>,
    month: Option<i64>,
    day: Option<i64>,
    day_of_year: Option<i64>,
    hour: i64,
    /// Of 12, with whether it is after noon.
    half_day_hour: Option<i64>,
    is_afternoon: bool,
    minute: i64,
    second: i64,
    milli: i64,
    /// Milliseconds to the east of UTC.
    zone: i64,
}

impl Found {
    fn read<'t>(&mut self, letter: char, count: usize, abuts: bool, text: &'t str) -> Option<&'t str> {
        match letter {
            'M' | 'L' if count >= 3 => {
                let (month, rest) = name(&MONTHS, text)?;
                self.month = Some(month as i64 + 1);
                return Some(rest);
            }
            'E' => return name(&WEEKDAYS, text).map(|(_, rest)| rest),
            'a' => {
                let (half, rest) = name(&["AM", "PM"], text)?;
                self.is_afternoon = half == 1;
                return Some(rest);
            }
            'z' | 'Z' | 'X' => {
                let (zone, rest) = zone(letter, text)?;
                self.zone = zone;
                return Some(rest);
            }
            _ => {}
        }
        let text = text.trim_start_matches([' ', '\t']);
        let digits =
            text.bytes().enumerate().take_while(|(at, byte)| byte.is_ascii_digit() || (*at == 0 && *byte == b'-'));
        let length = digits.count();
        let length = if abuts { length.min(count) } else { length };
        let (digits, rest) = text.split_at(length);
        let value: i64 = digits.parse().ok()?;
        match letter {
            'y' if count <= 2 && digits.len() == 2 => self.year = Some(two_digit_year(value)),
            'y' => self.year = Some(value),
            'M' | 'L' => self.month = Some(value),
            'd' => self.day = Some(value),
            'D' => self.day_of_year = Some(value),
            'H' => self.hour = value,
            'k' => self.hour = if value == 24 { 0 } else { value },
            'K' => self.half_day_hour = Some(value),
            'h' => self.half_day_hour = Some(if value == 12 { 0 } else { value }),
            'm' => self.minute = value,
            's' => self.second = value,
            'S' => self.milli = value,
            _ => {}
        }
        Some(rest)
    }

    fn millis(&self) -> Option<i64> {
        let year = i16::try_from(self.year.unwrap_or(1970)).ok()?;
        let start = Date::new(year, 1, 1).ok()?;
        let date = match self.day_of_year {
            Some(day) => start.checked_add((day - 1).days()).ok()?,
            None => {
                let month = start.checked_add(self.month.map_or(0, |month| month - 1).months()).ok()?;
                month.checked_add((self.day.unwrap_or(1) - 1).days()).ok()?
            }
        };
        let hour = match self.half_day_hour {
            Some(hour) => hour + if self.is_afternoon { 12 } else { 0 },
            None => self.hour,
        };
        let midnight = date.to_datetime(Time::midnight()).to_zoned(TimeZone::UTC).ok()?.timestamp().as_millisecond();
        let within = hour
            .checked_mul(3_600_000)?
            .checked_add(self.minute.checked_mul(60_000)?)?
            .checked_add(self.second.checked_mul(1_000)?)?
            .checked_add(self.milli)?;
        midnight.checked_add(within)?.checked_sub(self.zone)
    }
}

/// The year of two digits that lies within 80 years before and 20 years after now.
fn two_digit_year(value: i64) -> i64 {
    let now = i64::from(Timestamp::try_from(crate::clock::now()).unwrap_or_default().to_zoned(TimeZone::UTC).year());
    let first = now - 80;
    first + (value - first).rem_euclid(100)
}

/// A name or the first three letters of it, in any case, by its index.
fn name<'t>(names: &[&str], text: &'t str) -> Option<(usize, &'t str)> {
    let starts = |name: &str| text.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
    let whole = names.iter().position(|name| starts(name)).map(|index| (index, names[index].len()));
    let (index, length) =
        whole.or_else(|| names.iter().position(|name| starts(&name[..name.len().min(3)])).map(|index| (index, 3)))?;
    Some((index, &text[length..]))
}

/// A time zone's distance from UTC in milliseconds.
fn zone(letter: char, text: &str) -> Option<(i64, &str)> {
    for utc in ["UTC", "GMT", "Z"] {
        if let Some(rest) = text.strip_prefix(utc)
            && (utc == "Z") == (letter == 'X')
        {
            return if utc == "GMT" && rest.starts_with(['+', '-']) { distance(rest) } else { Some((0, rest)) };
        }
    }
    distance(text)
}

/// `+hh`, `+hhmm` or `+hh:mm`.
fn distance(text: &str) -> Option<(i64, &str)> {
    let sign = match text.chars().next()? {
        '+' => 1,
        '-' => -1,
        _ => return None,
    };
    let two =
        |text: &str| text.get(..2).filter(|two| two.bytes().all(|byte| byte.is_ascii_digit()))?.parse::<i64>().ok();
    let hours = two(&text[1..])?;
    let rest = &text[3..];
    let minutes_at = rest.strip_prefix(':').unwrap_or(rest);
    let (minutes, rest) = match two(minutes_at) {
        Some(minutes) => (minutes, &minutes_at[2..]),
        None => (0, rest),
    };
    Some((sign * (hours * 60 + minutes) * 60_000, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_java_s() {
        let at = 1_709_209_845_007; // 2024-02-29T12:30:45.007Z, a Thursday.
        for (pattern, text) in [
            ("yyyy-MM-dd'T'HH:mm:ss.SSSX", "2024-02-29T12:30:45.007Z"),
            ("yyyyMMdd", "20240229"),
            ("EEE, d MMM yy h:mm a Z", "Thu, 29 Feb 24 12:30 PM +0000"),
            ("EEEE MMMM D k K 'o''clock' z", "Thursday February 60 12 0 o'clock UTC"),
            ("SSSSSS u", "000007 4"),
        ] {
            assert_eq!(DateFormat::parse_pattern(pattern).unwrap().format(at), text);
        }
        for (pattern, text, millis) in [
            ("yyyy-MM-dd'T'HH:mm:ss.SSSX", "2024-02-29T12:30:45.007Z", at),
            ("yyyy-MM-dd'T'HH:mm:ssZ", "2024-02-29T14:30:45+0200", at - 7),
            ("yyyy-MM-dd HH:mm:ss z", "2024-02-29 12:30:45 UTC and more", at - 7),
            ("yyyyMMddHHmmssSSS", "20240229123045007", at),
            ("d MMM yyyy hh:mm:ss a", "29 Feb 2024 12:30:45 pm", at - 7),
            ("yyyy-MM-dd", "2024-14-01", 1_738_368_000_000),
            ("MM/dd/yy", "02/29/24", 1_709_164_800_000),
        ] {
            assert_eq!(DateFormat::parse_pattern(pattern).unwrap().parse(text), Some(millis), "{pattern}");
        }
        assert!(["yyyy-ww", "Q", "'open", "XXXX"].iter().all(|wrong| DateFormat::parse_pattern(wrong).is_none()));
        let format = DateFormat::parse_pattern("yyyy-MM-dd").unwrap();
        assert!(["", "2024", "2024/01/01", "x"].iter().all(|wrong| format.parse(wrong).is_none()));
    }
}
