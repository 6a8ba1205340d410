//! Where things stand: the clock on top of every view, what to do next and what runs at the foot.

use ratatui::layout::Rect;

/// Least columns and rows with full function.
pub const FULL: (u16, u16) = (80, 24);
/// Least columns and rows that can be used at all.
pub const LEAST: (u16, u16) = (60, 20);
/// From these on the clock is drawn in large digits.
const BIG: (u16, u16) = (100, 34);

/// The parts of the screen, from top to bottom; a height of zero: there is no room or nothing to show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// The clock, one row.
    pub clock: Rect,
    /// The clock in large digits, three rows.
    pub big: Rect,
    /// Names of the views, one row.
    pub tabs: Rect,
    /// The sentence that stays on the screen, one row.
    pub notice: Rect,
    /// The view.
    pub body: Rect,
    /// What to do next, one row.
    pub next: Rect,
    /// Messages and jobs, one row.
    pub status: Rect,
    /// Keys, one row.
    pub footer: Rect,
}

/// Whether there is room for more than the clock.
pub const fn is_enough(area: Rect) -> bool {
    area.width >= LEAST.0 && area.height >= LEAST.1
}

/// Divides `area`. `big`: there is a clock to draw large. `notice`: there is a sentence that stays.
pub fn layout(area: Rect, big: bool, notice: bool) -> Layout {
    let mut y = area.y;
    let mut left = area.height;
    let mut take = |rows: u16| {
        let rows = rows.min(left);
        let part = Rect { x: area.x, y, width: area.width, height: rows };
        y += rows;
        left -= rows;
        part
    };
    let clock = take(1);
    let big = take(if big && area.width >= BIG.0 && area.height >= BIG.1 { 3 } else { 0 });
    let tabs = take(1);
    let notice = take(u16::from(notice && area.height >= 22));
    let body = take(area.height.saturating_sub(3 + clock.height + big.height + tabs.height + notice.height));
    Layout { clock, big, tabs, notice, body, next: take(1), status: take(1), footer: take(1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn the_parts_fill_the_screen_and_do_not_overlap(w in 1u16..300, h in 1u16..120, big: bool, notice: bool) {
            let l = layout(Rect::new(0, 0, w, h), big, notice);
            let parts = [l.clock, l.big, l.tabs, l.notice, l.body, l.next, l.status, l.footer];
            proptest::prop_assert_eq!(parts.iter().map(|p| p.height).sum::<u16>(), h);
            for pair in parts.windows(2) {
                proptest::prop_assert_eq!(pair[0].bottom(), pair[1].y);
            }
            proptest::prop_assert_eq!(l.clock.height, 1, "the clock is always there");
        }
    }

    #[test]
    fn at_80x24_the_body_has_19_rows() {
        assert_eq!(layout(Rect::new(0, 0, 80, 24), true, false).body.height, 19);
        assert_eq!(layout(Rect::new(0, 0, 80, 24), true, true).body.height, 18);
    }
}
