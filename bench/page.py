# SPDX-License-Identifier: Apache-2.0
"""The page of bench/report: HTML that is well-formed XML, too, built as a tree, so that no text can become markup."""
import re
import xml.etree.ElementTree as ElementTree

import plots

STYLE = """body { font: 15px/1.45 sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em; color: #222; background: #fff }
table { border-collapse: collapse; margin: 1em 0 } th, td { padding: .25em .7em; border-bottom: 1px solid #ccc; text-align: left; vertical-align: top }
td.number { text-align: right; font-variant-numeric: tabular-nums } tr.fail td { background: #fdecea } svg { max-width: 100%; height: auto }
code, pre { font-size: 85%; overflow-wrap: anywhere; white-space: pre-wrap } summary { cursor: pointer }"""
# What XML has no place for, not even escaped.
UNPRINTABLE = re.compile("[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def clean(data):
    """All texts of it without what cannot be shown."""
    if isinstance(data, dict):
        return {clean(name): clean(value) for name, value in data.items()}
    if isinstance(data, list):
        return [clean(value) for value in data]
    return UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", data) if isinstance(data, str) else data


def add(parent, tag, text=None, **attributes):
    element = ElementTree.SubElement(parent, tag, {name.rstrip("_"): value for name, value in attributes.items()})
    element.text = text
    return element


def table(parent, head, rows, **attributes):
    """Rows of cells; a number is set right."""
    element = add(parent, "table", **attributes)
    row = add(add(element, "thead"), "tr")
    for cell in head:
        add(row, "th", cell)
    body = add(element, "tbody")
    for cells in rows:
        row = add(body, "tr")
        for cell in cells:
            number = re.fullmatch(r"[≤≥]? ?[\d,]+(\.\d+)?", str(cell))
            add(row, "td", cell, **({"class_": "number"} if number else {}))
    return body


def commands(parent, summary, lines):
    details = add(parent, "details")
    add(details, "summary", summary)
    add(details, "pre", "\n".join(lines))


def figure(value):
    return f"{value:,.2f}" if value < 100 else f"{value:,.0f}"


def all_targets(body, data):
    add(body, "h2", "Targets")
    reached = sum(target["pass"] for target in data["targets"])
    add(body, "p", f"{reached} of {len(data['targets'])} reached.")
    rows = table(body, ("target", "measured", "wanted", "", "commands"), (
        (target["what"], f"{target['measured']:,.2f}", f"{'≥' if target['at_least'] else '≤'} {target['wanted']:,g}", "pass" if target["pass"] else "FAIL", "")
        for target in data["targets"]), id="targets")
    for row, target in zip(rows, data["targets"]):
        row.set("class", "pass" if target["pass"] else "fail")
        for i, command in enumerate(target["commands"]):
            add(row[-1], "div" if i else "span").append(code := ElementTree.Element("code"))
            code.text = command


def percentiles(values):
    values = sorted(values)
    return [figure(values[min(len(values) - 1, int(len(values) * share))]) for share in (0.5, 0.9, 0.99)] + [figure(values[-1])]


def one_plot(body, plot):
    section = add(body, "section", id=f"plot-{plot['name']}")
    add(section, "h2", plot["title"])
    section.append(plots.svg(plot))
    if "distributions" in plot:
        table(section, (plot["x"]["label"], "p50", "p90", "p99", "max"), ([line["name"], *percentiles(line["values"])] for line in plot["distributions"]))
    else:
        xs = list(dict.fromkeys(x for line in plot["series"] for x, _ in line["points"]))
        by_x = [(line["name"], dict(map(tuple, line["points"]))) for line in plot["series"]]
        table(section, (f"{plot['y']['label']}, by {plot['x']['label']}", *(f"{x:,}" for x in xs)),
              ([name, *(figure(points[x]) if x in points else "" for x in xs)] for name, points in by_x))
    commands(section, "commands", plot["commands"])


def where(body, data):
    add(body, "h2", "Machine and versions")
    table(body, ("", ""), [*data["machine"].items(), *data["versions"].items(), ("date", data["date"])], id="where")
    add(body, "p", f"The best of {data['rounds']} rounds in which each command runs once after the other. The log has {data['bytes'] / 1e6:,.0f} MB, "
        "the logs of other shares of matching lines a tenth of it. The commands stand as typed in the directory of the inputs.")
    for text in data["left_out"]:
        add(body, "p", f"Not measured: {text}.")
    commands(body, "commands that made the inputs", data["inputs"])


def page(data):
    data = clean(data)
    html = ElementTree.Element("html", {"xmlns": "http://www.w3.org/1999/xhtml", "lang": "en"})
    head, title = add(html, "head"), "What correlator costs"
    add(head, "title", title)
    add(head, "style", STYLE)
    body = add(html, "body")
    add(body, "h1", title)
    if data["quick"]:
        add(body, "p", "Made with --quick: the inputs are too small for the figures to mean anything.")
    where(body, data)
    all_targets(body, data)
    for plot in data["plots"]:
        one_plot(body, plot)
    # Pure ASCII: no declaration of a character set is needed, and no tag is left open for HTML's parser.
    return b"<!DOCTYPE html>\n" + ElementTree.tostring(html, encoding="us-ascii", xml_declaration=False, short_empty_elements=False) + b"\n"
