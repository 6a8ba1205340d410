//! Memory of each container over time as SVG, with deaths, captures, changes of the cluster and the cut-off marked.
//!
//! Deterministic: the same state gives the same bytes. Lines differ by colour (Okabe-Ito) and by dashes; text follows the
//! reader's dark or light scheme.

use std::fmt::Write as _;

use chrono::{DateTime, TimeDelta, Utc};

use super::words::count;
use crate::base::{Bytes, ContainerRef};
use crate::incident::{MemoryPoint, Outcome, State};

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 76.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 56.0;
const BOTTOM: f64 = 84.0;
/// Containers that get a line; the fullest come first.
const LINES: usize = 8;
/// Points that one line keeps; more would only be drawn over each other.
const POINTS: usize = 480;

/// Okabe and Ito's palette, which colour-blind readers tell apart, in an order that also works on dark ground.
const COLOURS: [&str; 8] = ["#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#B8A800", "#888888"];
const DASHES: [&str; 4] = ["", "7 3", "2 3", "9 3 2 3"];

/// The chart of `state`; `None` while no memory was recorded.
pub fn chart(state: &State) -> Option<String> {
    let lines = lines(state);
    let last = state.timeline.last()?.at.wall;
    let from = lines.iter().filter_map(|(_, points)| points.first()).map(|p| p.at).min()?.min(state.declared.wall);
    let to = last.max(from + TimeDelta::minutes(1));
    let highest = |p: &MemoryPoint| p.used.max(p.limit.unwrap_or(p.used));
    let top = lines.iter().flat_map(|(_, points)| points.iter()).map(highest).max()?;
    let scale = Scale { from, to, top: ceiling(top) };
    let mut out = String::with_capacity(16 * 1024);
    head(&mut out, state);
    axes(&mut out, state, &scale);
    limits(&mut out, &lines, &scale);
    for (i, (container, points)) in lines.iter().enumerate() {
        line(&mut out, state, container, points, i, &scale);
    }
    marks(&mut out, state, &lines, &scale);
    legend(&mut out, state, &lines);
    out.push_str("</svg>\n");
    Some(out)
}

type Line<'a> = (&'a ContainerRef, Vec<MemoryPoint>);

/// The containers that are drawn, the fullest first by its share of the limit, then by name.
fn lines(state: &State) -> Vec<Line<'_>> {
    let share = |points: &[MemoryPoint]| points.iter().map(|p| p.used.share_of(p.limit.unwrap_or(Bytes(0)))).fold(0.0, f64::max);
    let mut all: Vec<(f64, &ContainerRef, Vec<MemoryPoint>)> =
        state.memory.iter().filter(|(_, s)| !s.is_empty()).map(|(c, s)| (share(s), c, thinned(s))).collect();
    all.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    all.into_iter().take(LINES).map(|(_, c, points)| (c, points)).collect()
}

/// At most [`POINTS`] points: of each bucket the highest, and always the last.
fn thinned(points: &[MemoryPoint]) -> Vec<MemoryPoint> {
    let bucket = points.len().div_ceil(POINTS).max(1);
    let mut out: Vec<MemoryPoint> = points.chunks(bucket).filter_map(|some| some.iter().max_by_key(|p| p.used).copied()).collect();
    if let Some(last) = points.last().filter(|last| out.last() != Some(last)) {
        out.push(*last);
    }
    out
}

struct Scale {
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    top: f64,
}

impl Scale {
    fn x(&self, at: DateTime<Utc>) -> f64 {
        let all = (self.to - self.from).num_milliseconds() as f64;
        let part = (at - self.from).num_milliseconds() as f64;
        LEFT + (part / all).clamp(0.0, 1.0) * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, bytes: Bytes) -> f64 {
        HEIGHT - BOTTOM - (bytes.0 as f64 / self.top).clamp(0.0, 1.0) * (HEIGHT - TOP - BOTTOM)
    }
}

/// The next round number of binary units at or above `top`, with room for marks.
fn ceiling(top: Bytes) -> f64 {
    let wanted = top.0 as f64 * 1.08;
    let mut unit = 1024.0 * 1024.0;
    while unit * 10.0 < wanted {
        unit *= 2.0;
    }
    (wanted / unit).ceil() * unit
}

fn head(out: &mut String, state: &State) {
    let title = escape(state.title.as_str());
    let _ = write!(
        out,
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:.0} {HEIGHT:.0}" width="{WIDTH:.0}" height="{HEIGHT:.0}" role="img" aria-labelledby="title desc" font-family="system-ui, sans-serif" font-size="12">
<title id="title">Memory during {id}: {title}</title>
<desc id="desc">Working set of each container over the time since the declaration, with limits, deaths, captures, changes and the cut-off.</desc>
<style>
  text {{ fill: #24292f; }} .faint {{ fill: #57606a; }} .grid {{ stroke: #d0d7de; }} .mark {{ stroke: #24292f; }} .ground {{ fill: #ffffff; }}
  @media (prefers-color-scheme: dark) {{ text {{ fill: #e6edf3; }} .faint {{ fill: #9198a1; }} .grid {{ stroke: #30363d; }} .mark {{ stroke: #e6edf3; }} .ground {{ fill: #0d1117; }} }}
</style>
<rect class="ground" width="{WIDTH:.0}" height="{HEIGHT:.0}"/>
<text x="{LEFT:.0}" y="22" font-size="14" font-weight="600">{id}: {title}</text>
"##,
        id = escape(state.id.as_str()),
    );
}

fn axes(out: &mut String, state: &State, scale: &Scale) {
    let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
    let steps = 4;
    for i in 0..=steps {
        let bytes = Bytes((scale.top * f64::from(i) / f64::from(steps)) as u64);
        let y = scale.y(bytes);
        let _ = writeln!(out, r#"<line class="grid" x1="{LEFT:.1}" y1="{y:.1}" x2="{right:.1}" y2="{y:.1}"/>"#);
        let _ =
            writeln!(out, r#"<text class="faint" x="{:.1}" y="{:.1}" text-anchor="end">{}</text>"#, LEFT - 6.0, y + 4.0, bytes.binary());
    }
    let minutes = (scale.to - scale.from).num_minutes().max(1);
    let every = [1, 2, 5, 10, 15, 30, 60, 120, 240, 480, 1440].into_iter().find(|step| minutes / step <= 10).unwrap_or(2880);
    let before = (state.declared.wall - scale.from).num_minutes();
    let mut at = -(before / every) * every;
    while at <= minutes - before {
        let x = scale.x(state.declared.wall + TimeDelta::minutes(at));
        let sign = if at < 0 { "-" } else { "+" };
        let label = format!("T{sign}{}:{:02}", at.abs() / 60, at.abs() % 60);
        let _ = writeln!(out, r#"<line class="grid" x1="{x:.1}" y1="{bottom:.1}" x2="{x:.1}" y2="{:.1}"/>"#, bottom + 5.0);
        let _ = writeln!(out, r#"<text class="faint" x="{x:.1}" y="{:.1}" text-anchor="middle">{label}</text>"#, bottom + 18.0);
        at += every;
    }
}

fn limits(out: &mut String, lines: &[Line<'_>], scale: &Scale) {
    let mut limits: Vec<Bytes> = lines.iter().filter_map(|(_, points)| points.last()?.limit).collect();
    limits.sort_unstable();
    limits.dedup();
    for limit in limits {
        let y = scale.y(limit);
        let right = WIDTH - RIGHT;
        let _ =
            writeln!(out, r##"<line stroke="#D55E00" stroke-dasharray="4 4" x1="{LEFT:.1}" y1="{y:.1}" x2="{right:.1}" y2="{y:.1}"/>"##);
        let _ = writeln!(out, r#"<text x="{right:.1}" y="{:.1}" text-anchor="end">limit {}</text>"#, y - 4.0, limit.binary());
    }
}

fn line(out: &mut String, state: &State, container: &ContainerRef, points: &[MemoryPoint], i: usize, scale: &Scale) {
    let deaths: Vec<DateTime<Utc>> =
        state.deaths.iter().filter(|d| d.container == *container).map(|d| d.ended.unwrap_or(d.mark.at)).collect();
    let mut path = String::new();
    let mut before: Option<DateTime<Utc>> = None;
    for point in points {
        // A line that went on through a death would hide it.
        let broken = before.is_none_or(|b| deaths.iter().any(|d| b <= *d && *d <= point.at));
        let (x, y) = (scale.x(point.at), scale.y(point.used));
        // A reading that stands alone shows as a dot: a line of no length with a round cap.
        let _ = if broken { write!(path, "M{x:.1} {y:.1}h0") } else { write!(path, "L{x:.1} {y:.1}") };
        before = Some(point.at);
    }
    let (colour, dash) = (COLOURS[i % COLOURS.len()], DASHES[i % DASHES.len()]);
    let _ = writeln!(
        out,
        r#"<path d="{path}" fill="none" stroke="{colour}" stroke-width="2" stroke-linecap="round" stroke-dasharray="{dash}"/>"#
    );
}

fn marks(out: &mut String, state: &State, lines: &[Line<'_>], scale: &Scale) {
    let bottom = HEIGHT - BOTTOM;
    let vertical = |out: &mut String, at: DateTime<Utc>, label: &str, dash: &str| {
        let x = scale.x(at);
        let anchor = if x > WIDTH * 0.75 { "end" } else { "start" };
        let dx = if anchor == "end" { -3.0 } else { 3.0 };
        let _ = writeln!(out, r#"<line class="mark" stroke-dasharray="{dash}" x1="{x:.1}" y1="{TOP:.1}" x2="{x:.1}" y2="{bottom:.1}"/>"#);
        let _ = writeln!(out, r#"<text x="{:.1}" y="{:.1}" text-anchor="{anchor}">{}</text>"#, x + dx, TOP - 4.0, escape(label));
    };
    if scale.to >= state.cutoff.planned {
        vertical(out, state.cutoff.planned, "cut-off", "");
    }
    for decided in &state.cutoff.decisions {
        let label = match &decided.decision {
            crate::incident::Decision::GoDeep => "deep".to_owned(),
            crate::incident::Decision::Extend { minutes, .. } => format!("+{minutes} min"),
        };
        let x = scale.x(decided.mark.at);
        let _ = writeln!(out, r#"<line class="mark" stroke-dasharray="1 3" x1="{x:.1}" y1="{TOP:.1}" x2="{x:.1}" y2="{bottom:.1}"/>"#);
        let _ = writeln!(out, r#"<text x="{:.1}" y="{:.1}">{label}</text>"#, x + 3.0, TOP + 12.0);
    }
    for act in state.acts.iter() {
        let Some(at) = act.done_at() else { continue };
        let x = scale.x(at);
        let _ =
            writeln!(out, r#"<line class="mark" stroke-dasharray="6 4" x1="{x:.1}" y1="{:.1}" x2="{x:.1}" y2="{bottom:.1}"/>"#, TOP + 18.0);
        let _ = writeln!(out, r#"<text x="{:.1}" y="{:.1}">{} (#{})</text>"#, x + 3.0, TOP + 28.0, escape(&act.request.act), act.mark.seq);
    }
    for death in state.deaths.iter() {
        let at = death.ended.unwrap_or(death.mark.at);
        let y = height_at(lines, &death.container, at).map_or(TOP + 40.0, |bytes| scale.y(bytes));
        let x = scale.x(at);
        let _ = writeln!(
            out,
            r##"<path d="M{:.1} {:.1}L{:.1} {:.1}M{:.1} {:.1}L{:.1} {:.1}" stroke="#D55E00" stroke-width="3"><title>{} died: {}</title></path>"##,
            x - 5.0,
            y - 5.0,
            x + 5.0,
            y + 5.0,
            x - 5.0,
            y + 5.0,
            x + 5.0,
            y - 5.0,
            escape(&death.container.to_string()),
            escape(death.cause.as_str()),
        );
    }
    for capture in state.captures.iter().filter(|c| c.container.is_some()) {
        let x = scale.x(capture.mark.at);
        let y = capture.container.as_ref().and_then(|c| height_at(lines, c, capture.mark.at)).map_or(bottom - 10.0, |b| scale.y(b));
        let fill = if capture.outcome == Some(Outcome::Complete) { "#009E73" } else { "none" };
        let _ = writeln!(
            out,
            r##"<circle cx="{x:.1}" cy="{y:.1}" r="6" fill="{fill}" stroke="#009E73" stroke-width="2"><title>capture {}</title></circle>"##,
            capture.evidence
        );
        let _ = writeln!(out, r#"<text x="{:.1}" y="{:.1}">{}</text>"#, x + 9.0, y + 4.0, capture.evidence);
    }
}

/// Memory of a container at or just before a moment.
fn height_at(lines: &[Line<'_>], container: &ContainerRef, at: DateTime<Utc>) -> Option<Bytes> {
    let (_, points) = lines.iter().find(|(c, _)| *c == container)?;
    points.iter().take_while(|p| p.at <= at).last().map(|p| p.used)
}

fn legend(out: &mut String, state: &State, lines: &[Line<'_>]) {
    let row = |i: usize| (LEFT + (i % 2) as f64 * 430.0, HEIGHT - BOTTOM + 36.0 + (i / 2) as f64 * 13.0);
    for (i, (container, _)) in lines.iter().enumerate() {
        let (x, y) = row(i);
        let (colour, dash) = (COLOURS[i % COLOURS.len()], DASHES[i % DASHES.len()]);
        let _ = writeln!(
            out,
            r#"<line x1="{x:.1}" y1="{:.1}" x2="{:.1}" y2="{:.1}" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"/><text font-size="11" x="{:.1}" y="{y:.1}">{}</text>"#,
            y - 4.0,
            x + 26.0,
            y - 4.0,
            x + 32.0,
            escape(&container.to_string()),
        );
    }
    let more = state.memory.len().saturating_sub(lines.len());
    if more > 0 {
        let text = format!("and {} not drawn", count(more, "container", "containers"));
        let _ = writeln!(out, r#"<text class="faint" x="{:.1}" y="22" text-anchor="end">{text}</text>"#, WIDTH - RIGHT);
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::story::told;
    use crate::report::tests::whole_story;

    #[test]
    fn the_chart_marks_what_happened_and_is_the_same_each_time() {
        let svg = chart(&whole_story(300)).expect("memory was seen");
        for part in [
            "limit 512 MiB",
            "cut-off",
            "deep",
            "rollback (#",
            "shop/import-7d-x:app died: V8 heap limit",
            ">E1</text>",
            "T+2:00",
            "prefers-color-scheme",
        ] {
            assert!(svg.contains(part), "{part}");
        }
        assert_eq!(chart(&whole_story(300)).as_deref(), Some(svg.as_str()));
        assert_eq!(chart(&told(vec![])), None, "nothing to draw");
    }

    #[test]
    fn tags_balance_and_nothing_from_outside_breaks_out() {
        let mut state = whole_story(300);
        state.title = "</text><script>alert(1)</script>".into();
        let svg = chart(&state).expect("memory was seen");
        assert!(!svg.contains("<script"), "{svg}");
        for tag in ["text", "title", "circle", "style", "svg", "path"] {
            let open = svg.matches(&format!("<{tag}")).count();
            let closed = svg.matches(&format!("</{tag}>")).count();
            let selfclosed = svg.lines().filter(|l| l.starts_with(&format!("<{tag}")) && l.ends_with("/>")).count();
            assert_eq!(open, closed + selfclosed, "{tag}");
        }
    }

    #[test]
    fn a_long_series_keeps_its_peaks() {
        let state = whole_story(300);
        let point = |i: i64, used| MemoryPoint { at: state.declared.wall + TimeDelta::seconds(i), used: Bytes(used), limit: None };
        let mut points: Vec<MemoryPoint> = (0..100_000).map(|i| point(i, 10)).collect();
        points[54_321] = point(54_321, 99);
        let thin = thinned(&points);
        assert!(thin.len() <= POINTS + 1 && thin.iter().any(|p| p.used.0 == 99));
        assert_eq!(thin.last(), points.last());
    }
}
