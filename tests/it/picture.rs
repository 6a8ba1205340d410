//! The picture of the README: the real dashboard on the demo's outage, as SVG. `tests/picture/render` makes it anew.

use std::fmt::Write as _;
use std::path::Path;

use vt100::{Cell, Color, Screen};

use super::tui::Tui;

/// Width and height of a character cell in the picture.
const CELL: (f64, f64) = (8.4, 18.0);
/// Ink of the terminal that is pictured.
const INK: &str = "#d0d0d0";
/// Its paper.
const PAPER: &str = "#121212";

/// The 256 colours as xterm has them.
fn hex(color: Color, default: &str) -> String {
    const BASE: [&str; 16] = [
        "#000000", "#cd0000", "#00cd00", "#cdcd00", "#0000ee", "#cd00cd", "#00cdcd", "#e5e5e5", "#7f7f7f", "#ff0000", "#00ff00", "#ffff00",
        "#5c5cff", "#ff00ff", "#00ffff", "#ffffff",
    ];
    match color {
        Color::Default => default.to_owned(),
        Color::Idx(i @ 0..16) => BASE[usize::from(i)].to_owned(),
        Color::Idx(i @ 16..232) => {
            let part = |n: u8| if n == 0 { 0 } else { 55 + 40 * n };
            let i = i - 16;
            format!("#{:02x}{:02x}{:02x}", part(i / 36), part(i / 6 % 6), part(i % 6))
        }
        Color::Idx(i) => format!("#{0:02x}{0:02x}{0:02x}", 8 + 10 * (i - 232)),
        Color::Rgb(r, g, b) => format!("#{r:02x}{g:02x}{b:02x}"),
    }
}

/// (ink, paper, bold) of a cell.
fn style(cell: &Cell) -> (String, String, bool) {
    let (ink, paper) = (hex(cell.fgcolor(), INK), hex(cell.bgcolor(), PAPER));
    if cell.inverse() { (paper, ink, cell.bold()) } else { (ink, paper, cell.bold()) }
}

/// `screen` as SVG: one `text` for each run of cells that look alike.
fn svg(screen: &Screen) -> String {
    let (rows, cols) = screen.size();
    let (rows, cols) = (rows.get(), cols.get());
    let (wide, high) = (f64::from(cols) * CELL.0 + 20.0, f64::from(rows) * CELL.1 + 20.0);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {wide:.0} {high:.0}\" font-family=\"ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace\" font-size=\"14\">\n\
         <title>cutoff on a running outage</title>\n<rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{PAPER}\"/>\n"
    );
    for row in 0..rows {
        let mut col = 0;
        while col < cols {
            let Some(first) = screen.cell(row, col) else { break };
            let look = style(first);
            let (from, mut text) = (col, String::new());
            while let Some(cell) = (col < cols).then(|| screen.cell(row, col)).flatten().filter(|c| style(c) == look) {
                text.push_str(if cell.has_contents() { cell.contents() } else { " " });
                col += 1;
            }
            let (x, y, run) = (f64::from(from) * CELL.0 + 10.0, f64::from(row) * CELL.1 + 10.0, f64::from(col - from) * CELL.0);
            let (ink, paper, bold) = look;
            if paper != PAPER {
                writeln!(out, "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{run:.1}\" height=\"{}\" fill=\"{paper}\"/>", CELL.1)
                    .expect("a String takes it");
            }
            if text.trim().is_empty() {
                continue;
            }
            let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            let weight = if bold { " font-weight=\"bold\"" } else { "" };
            writeln!(
                out,
                "<text x=\"{x:.1}\" y=\"{:.1}\" textLength=\"{run:.1}\" lengthAdjust=\"spacingAndGlyphs\" xml:space=\"preserve\" fill=\"{ink}\"{weight}>{text}</text>",
                y + 14.0
            )
            .expect("a String takes it");
        }
    }
    out.push_str("</svg>\n");
    out
}

#[test]
fn a_screen_becomes_a_picture() {
    let mut parser = vt100::Parser::new(super::tui::size(2), super::tui::size(10), 0);
    parser.process("\u{1b}[1;38;5;202ma<b\u{1b}[0m ok\r\n\u{1b}[7mon\u{1b}[0m".as_bytes());
    let svg = svg(parser.screen());
    assert!(svg.contains("fill=\"#ff5f00\" font-weight=\"bold\">a&lt;b</text>"), "{svg}");
    assert!(svg.contains(&format!("fill=\"{INK}\"/>")), "a reversed cell has its ink as paper: {svg}");
    assert_eq!(svg.matches("<text").count(), 3, "one for each run: {svg}");
}

#[test]
#[ignore = "takes minutes and rewrites tests/picture/dashboard.svg: tests/picture/render runs it"]
fn the_picture_of_the_readme() {
    let mut tui = Tui::start(&["demo"], 110, 32);
    tui.see("content-import");
    tui.until("a slope", |text| text.contains("MB/min") && text.contains("SOON"));
    tui.press("!");
    tui.see("DECLARE");
    tui.press("\r");
    tui.see("T+00:00");
    tui.press("C");
    tui.until("a verdict", |text| text.contains("Found"));
    let picture = svg(tui.parser().screen());
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/picture/dashboard.svg");
    std::fs::write(&place, picture).expect("the repository is writable");
}
