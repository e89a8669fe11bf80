"""What reports of measurements are made of: the machine they hold for, tables, figures, and JSON without NaN."""

from spatialwm.report.figure import FAINT, INK, RULE, new_figure, plain_axes, write_figure
from spatialwm.report.machine import commit, describe_machine, headline
from spatialwm.report.page import markdown_table, number_text, plain_json, write_json

__all__ = [
    "FAINT", "INK", "RULE", "commit", "describe_machine", "headline", "markdown_table", "new_figure", "number_text", "plain_axes",
    "plain_json", "write_figure", "write_json",
]  # fmt: skip
