# SPDX-License-Identifier: Apache-2.0
"""Plots as elements of SVG, drawn by matplotlib, with nothing from outside and with ids that are unique on a page of several."""
import io
import re
import xml.etree.ElementTree as ElementTree

import matplotlib
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

SVG = "http://www.w3.org/2000/svg"
LINK = "{http://www.w3.org/1999/xlink}href"
# Text stays text, and a dollar sign is no formula. A number is drawn the same way in each run.
matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "correlator", "text.parse_math": False, "font.family": "sans-serif"})


def plain_ticks(axis):
    """1, 2, 5, 10, ... on an axis that is logarithmic; numbers and no powers of ten, which would be formulas."""
    if axis.get_scale() == "log":
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter(lambda value, _: f"{value:,g}")


def curves(axes, plot):
    """Curves of points; the group of each has the id series-N."""
    category = plot["x"]["scale"] == "category"
    places = {}
    for i, line in enumerate(plot["series"]):
        for x, _ in line["points"]:
            places.setdefault(x, len(places) if category else x)
        axes.plot([places[x] for x, _ in line["points"]], [y for _, y in line["points"]], marker="o", label=line["name"], gid=f"series-{i}")
    if not category:
        axes.set_xscale(plot["x"]["scale"])
    axes.set_yscale(plot["y"]["scale"])
    axes.set_xticks(list(places.values()), [f"{x:,}" for x in places])
    plain_ticks(axes.yaxis)
    if plot["y"]["scale"] == "linear":
        axes.set_ylim(0, 1.15 * max(y for line in plot["series"] for _, y in line["points"]))


def distributions(axes, plot):
    """The share of values up to each."""
    for i, line in enumerate(plot["distributions"]):
        values = sorted(line["values"])
        axes.step(values, [100 * (n + 1) / len(values) for n in range(len(values))], where="post", label=line["name"], gid=f"series-{i}")
    axes.set_xscale("log")
    plain_ticks(axes.xaxis)
    axes.set_ylim(0, 100)


def inline(text, name):
    """The root element, without namespaces in its tags (a page of HTML knows svg by itself) and with the plot's name before all ids."""
    root = ElementTree.fromstring(text)
    for metadata in root.findall(f"{{{SVG}}}metadata"):
        root.remove(metadata)
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        if "id" in element.attrib:
            element.set("id", f"{name}-{element.get('id')}")
        if LINK in element.attrib:
            element.set("href", element.attrib.pop(LINK).replace("#", f"#{name}-"))
        for key, value in element.attrib.items():
            if "url(#" in value:
                element.set(key, re.sub(r"url\(#", f"url(#{name}-", value))
    root.set("xmlns", SVG)
    root.set("role", "img")
    return root


def svg(plot):
    figure = Figure(figsize=(8, 4.2), layout="constrained")
    axes = figure.add_subplot()
    (distributions if "distributions" in plot else curves)(axes, plot)
    axes.minorticks_off()
    axes.set_xlabel(plot["x"]["label"])
    axes.set_ylabel(plot["y"]["label"])
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small")
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    return inline(out.getvalue(), plot["name"])
