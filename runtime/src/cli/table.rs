//! Tables of text.

use comfy_table::{ContentArrangement, Table, TableComponent, presets};

/// Width of a table, in characters.
pub(super) const WIDTH: u16 = 160;

/// A table that is at most [`WIDTH`] wide: cells that are too long take several lines.
pub(super) fn table(header: &[&str], rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table
        .load_preset(presets::UTF8_HORIZONTAL_ONLY)
        .remove_style(TableComponent::HorizontalLines)
        .remove_style(TableComponent::MiddleIntersections)
        .set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(WIDTH).set_header(header).add_rows(rows);
    table.trim_fmt()
}
