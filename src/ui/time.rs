//! Times as people read them: in local time, and as far away as they are.
//!
//! The only room that knows local time. Records and JSON are in UTC.

use chrono::{
    DateTime, Datelike as _, FixedOffset, Local, NaiveDateTime, SecondsFormat, TimeDelta,
    TimeZone as _, Utc,
};

/// What it takes to write a time for a person.
#[derive(Clone, Copy)]
pub(crate) struct Clock {
    /// The time that relative times count from. UTC.
    pub(crate) now: DateTime<Utc>,
    /// Turns a time into local time.
    pub(crate) local: fn(DateTime<Utc>) -> DateTime<FixedOffset>,
}

impl Clock {
    /// A clock with the zone of this machine.
    pub(crate) fn at(now: DateTime<Utc>) -> Self {
        Self { now, local: |time| time.with_timezone(&Local).fixed_offset() }
    }

    /// How long ago it was, short: `2 min ago`, `yesterday`, `3 days ago`, `12 Nov 23:02`, and with the
    /// year where it is not this one: `12 Nov 2025`. What lies in the future is written as a date.
    pub(super) fn relative(self, time: DateTime<Utc>) -> String {
        let ago = self.now.signed_duration_since(time);
        let local = (self.local)(time);
        let today = (self.local)(self.now);
        let days = today.date_naive().signed_duration_since(local.date_naive()).num_days();
        // Clocks of two machines differ by a few seconds.
        if ago < TimeDelta::seconds(60) && ago > TimeDelta::seconds(-5) {
            return "just now".to_owned();
        }
        if ago >= TimeDelta::zero() && ago < TimeDelta::hours(1) {
            return format!("{} min ago", ago.num_minutes());
        }
        if ago >= TimeDelta::zero() && (days == 0 || ago < TimeDelta::hours(6)) {
            return match ago.num_hours() {
                1 => "1 hour ago".to_owned(),
                hours => format!("{hours} hours ago"),
            };
        }
        match days {
            1 => "yesterday".to_owned(),
            2..=6 => format!("{days} days ago"),
            _ if local.year() == today.year() => local.format("%-d %b %H:%M").to_string(),
            _ => local.format("%-d %b %Y").to_string(),
        }
    }

    /// The exact time with its zone: `20 Nov 2026 18:46:02 +01:00`.
    pub(super) fn exact(self, time: DateTime<Utc>) -> String {
        (self.local)(time).format("%-d %b %Y %H:%M:%S %:z").to_string()
    }
}

/// Turns a local time into UTC, for what a person typed; none where the clocks skipped it or had it
/// twice.
pub(crate) fn from_local(time: NaiveDateTime) -> Option<DateTime<Utc>> {
    Local.from_local_datetime(&time).single().map(|time| time.to_utc())
}

/// RFC 3339, UTC, milliseconds: `2026-11-20T17:46:02.123Z`.
pub(super) fn rfc3339(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// How long something took: `45 ms`, `0.4 s`, `12 s`, `3 min 5 s`, `2 h 4 min`.
pub(super) fn duration(took: TimeDelta) -> String {
    let seconds = took.num_seconds().max(0);
    let milliseconds = took.num_milliseconds().max(0);
    match seconds {
        _ if milliseconds < 100 => format!("{milliseconds} ms"),
        0..=9 => {
            let tenths = milliseconds / 100;
            format!("{}.{} s", tenths / 10, tenths % 10)
        }
        10..=59 => format!("{seconds} s"),
        60..=3599 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};

    use super::{Clock, duration, rfc3339};

    fn time(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn times_are_as_far_away_as_they_are() {
        let now = time("2026-11-20T08:00:00Z");
        let clock = Clock { now, local: |time| time.fixed_offset() };
        let cases = [
            ("2026-11-20T08:00:03Z", "just now"),
            ("2026-11-20T07:59:30Z", "just now"),
            ("2026-11-20T07:58:00Z", "2 min ago"),
            ("2026-11-20T06:59:00Z", "1 hour ago"),
            ("2026-11-20T03:00:00Z", "5 hours ago"),
            ("2026-11-19T23:59:00Z", "yesterday"),
            ("2026-11-19T00:01:00Z", "yesterday"),
            ("2026-11-17T12:00:00Z", "3 days ago"),
            ("2026-11-12T23:02:00Z", "12 Nov 23:02"),
            ("2025-11-12T23:02:00Z", "12 Nov 2025"),
            ("2026-11-20T09:00:00Z", "20 Nov 09:00"),
            ("2026-11-22T09:00:00Z", "22 Nov 09:00"),
        ];
        for (at, shown) in cases {
            assert_eq!(clock.relative(time(at)), shown, "{at}");
        }
    }

    #[test]
    fn exact_times_carry_their_zone() {
        let local =
            |time: DateTime<Utc>| time.with_timezone(&chrono::FixedOffset::east_opt(3600).unwrap());
        let clock = Clock { now: time("2026-11-20T08:00:00Z"), local };
        assert_eq!(clock.exact(time("2026-11-20T17:46:02.5Z")), "20 Nov 2026 18:46:02 +01:00");
        assert_eq!(rfc3339(time("2026-11-20T17:46:02.5Z")), "2026-11-20T17:46:02.500Z");
    }

    #[test]
    fn durations_are_as_precise_as_they_are_short() {
        let shown = |ms| duration(TimeDelta::milliseconds(ms));
        assert_eq!(shown(432), "0.4 s");
        assert_eq!(shown(12_700), "12 s");
        assert_eq!(shown(185_000), "3 min 5 s");
        assert_eq!(shown(7_440_000), "2 h 4 min");
        assert_eq!(shown(45), "45 ms");
        assert_eq!(shown(-5), "0 ms");
    }
}
