//! Aligned columns that fit the width of a terminal.
//!
//! A column is as wide as what is in it, and at least as wide as is pleasant; where the terminal is
//! narrow the pleasantness goes first, then the columns that can stand to be cut, in the order that
//! their [`Column::gives`] says, and at last the end of the line. The last column has no padding and takes what is left.

use super::style::{Line, Role, Screen};

/// Blanks between columns.
const GAP: usize = 2;

/// One column.
pub(super) struct Column {
    /// What stands above it.
    pub(super) title: &'static str,
    /// As wide as this even where less would do.
    pub(super) pleasant: usize,
    /// Not cut below this.
    pub(super) least: usize,
    /// When its turn comes to be cut, from 1; 0 is never.
    pub(super) gives: u8,
}

/// Rows under titles.
pub(super) struct Table {
    columns: Vec<Column>,
    rows: Vec<(Line, Vec<Line>)>,
}

impl Table {
    /// A table without rows.
    pub(super) fn new(columns: Vec<Column>) -> Self {
        Self { columns, rows: Vec::new() }
    }

    /// Adds a row: what stands in the margin, then a cell for each column.
    pub(super) fn row(&mut self, margin: Line, cells: Vec<Line>) {
        self.rows.push((margin, cells));
    }

    /// Columns of the widest cells and the gaps between them.
    pub(super) fn columns(&self) -> usize {
        let gaps = GAP.saturating_mul(self.columns.len().saturating_sub(1));
        self.widths(0, None).iter().sum::<usize>().saturating_add(gaps)
    }

    /// Lays it out, `margin` columns from the left, under its titles if it has any.
    pub(super) fn lay_out(self, margin: usize, width: Option<usize>) -> Screen {
        let widths = self.widths(margin, width);
        let limit = width.unwrap_or(usize::MAX);
        let mut screen = Screen::new();
        if self.columns.iter().any(|column| !column.title.is_empty()) {
            let titles = self.columns.iter().map(|column| Line::of(Role::Dim, column.title));
            let titles = laid_out(Line::new().padded(margin), titles.collect(), &widths);
            screen.line(titles.cut(limit));
        }
        for (lead, cells) in self.rows {
            screen.line(laid_out(lead.padded(margin), cells, &widths).cut(limit));
        }
        screen
    }

    fn widths(&self, margin: usize, width: Option<usize>) -> Vec<usize> {
        let mut content: Vec<usize> =
            self.columns.iter().map(|c| c.title.chars().count()).collect();
        for (_, cells) in &self.rows {
            for (width, cell) in content.iter_mut().zip(cells) {
                *width = (*width).max(cell.columns());
            }
        }
        let mut widths: Vec<usize> =
            content.iter().zip(&self.columns).map(|(width, c)| (*width).max(c.pleasant)).collect();
        let Some(width) = width else { return widths };
        let gaps = GAP.saturating_mul(widths.len().saturating_sub(1));
        let room = width.saturating_sub(margin).saturating_sub(gaps);
        for (at, least) in content.iter().enumerate() {
            shrink(&mut widths, at, *least, room);
        }
        for turn in 1..=u8::MAX {
            let whose = self.columns.iter().enumerate().filter(|(_, c)| c.gives == turn);
            let mut is_over = self.columns.iter().all(|column| column.gives < turn);
            for (at, column) in whose {
                shrink(&mut widths, at, column.least, room);
                is_over = false;
            }
            if is_over {
                break;
            }
        }
        widths
    }
}

/// Takes from one column what is missing, down to `least`.
fn shrink(widths: &mut [usize], at: usize, least: usize, room: usize) {
    let over = widths.iter().sum::<usize>().saturating_sub(room);
    if let Some(width) = widths.get_mut(at) {
        *width = width.saturating_sub(over).max(least.min(*width));
    }
}

fn laid_out(lead: Line, cells: Vec<Line>, widths: &[usize]) -> Line {
    cells.into_iter().zip(widths).enumerate().fold(lead, |line, (at, (cell, width))| {
        let gap = if at == 0 { 0 } else { GAP };
        line.plain(&" ".repeat(gap)).join(cell.cut(*width).padded(*width))
    })
}
