# SPDX-License-Identifier: Apache-2.0
"""bench/report --quick: its page is well-formed and stands alone, each plot shows the data, the table has the figures of the file beside it,
and no text becomes markup.
  report_test.py BUILD_DIRECTORY"""
import copy
import json
import math
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser

HERE = pathlib.Path(__file__).resolve().parent
HTML, SVG = "{http://www.w3.org/1999/xhtml}", "{http://www.w3.org/2000/svg}"
HOSTILE = "</td></title></style><script>alert(1)</script> & \"' $x^2$ \x1b[31m \x00 \udcff ]]>"
LATENCY = {"name": "latency", "title": "Live", "x": {"label": "ms", "scale": "log"}, "y": {"label": "%", "scale": "linear"},
           "distributions": [{"name": "total", "values": [1.5, 2.5, 0.5, 20.0]}, {"name": HOSTILE, "values": [0.25, 0.5]}], "commands": ["latency.py"]}


def text(element):
    return "".join(element.itertext())


class Nesting(HTMLParser):
    """What an HTML parser sees: every tag closed in turn, no others than ours."""

    def __init__(self):
        super().__init__()
        self.open, self.seen, self.attributes = [], set(), []

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.seen.add(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        if self.open.pop() != tag:
            raise ValueError(f"</{tag}> closes nothing")


class Report(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.directory.cleanup)
        cls.html = pathlib.Path(cls.directory.name) / "report.html"
        cls.json = cls.html.with_suffix(".json")
        done = subprocess.run([HERE / "report", "--quick", "--build", BUILD, "--out", cls.html], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        cls.data = json.loads(cls.json.read_text())

    def again(self, data):
        """The page of other data."""
        file, out = self.json.with_name("other.json"), self.json.with_name("other.html")
        file.write_text(json.dumps(data))
        subprocess.run([HERE / "report", "--from", file, "--out", out], check=True, capture_output=True)
        return out.read_bytes()

    def stands_alone(self, page):
        """The tree of a page that is XML and HTML and loads and runs nothing."""
        tree = ElementTree.fromstring(page)
        parser = Nesting()
        parser.feed(page.decode("ascii"))
        parser.close()
        self.assertEqual(parser.open, [])
        self.assertEqual(parser.seen & {"script", "link", "img", "image", "iframe", "object", "embed", "base", "meta", "form", "a", "br"}, set())
        ids = [value for name, value in parser.attributes if name == "id"]
        self.assertEqual(len(ids), len(set(ids)))
        for name, value in parser.attributes:
            self.assertFalse(name.startswith("on") or name in ("src", "srcdoc", "action", "xlink:href"), name)
            if name == "href":
                self.assertIn(value.removeprefix("#"), ids)
            for place in re.findall(r"url\(([^)]*)\)", value or ""):
                self.assertIn(place.removeprefix("#"), ids)
        for style in tree.iter():
            if style.tag in (f"{HTML}style", f"{SVG}style"):
                self.assertNotRegex(style.text, r"url\(|@import|expression")
        return tree

    def test_page_stands_alone(self):
        self.stands_alone(self.html.read_bytes())

    def test_table_has_the_figures_of_the_file(self):
        tree = ElementTree.fromstring(self.html.read_bytes())
        rows = [[text(cell) for cell in row] for row in tree.findall(f".//{HTML}table[@id='targets']/{HTML}tbody/{HTML}tr")]
        targets = self.data["targets"]
        self.assertEqual(len(rows), len(targets))
        # Those of bench/run but SEC's.
        self.assertEqual(len(targets), 12)
        for (what, measured, wanted, verdict, commands), target in zip(rows, targets):
            self.assertEqual(what, target["what"])
            self.assertEqual(measured, f"{target['measured']:,.2f}")
            self.assertGreater(target["measured"], 0)
            self.assertEqual(wanted, f"{'≥' if target['at_least'] else '≤'} {target['wanted']:,g}")
            good = target["measured"] >= target["wanted"] if target["at_least"] else target["measured"] <= target["wanted"]
            self.assertEqual(verdict, "pass" if good else "FAIL")
            self.assertEqual(commands, "".join(target["commands"]))
            self.assertRegex(commands, r"^(correlator replay|wc|rg|bench_windows)")
            self.assertNotIn("/tmp", commands)

    def test_machine_and_versions(self):
        tree = ElementTree.fromstring(self.html.read_bytes())
        rows = dict(tuple(text(cell) for cell in row) for row in tree.findall(f".//{HTML}table[@id='where']/{HTML}tbody/{HTML}tr"))
        for what in ("correlator", "RE2", "SQLite", "kernel"):
            self.assertRegex(rows[what], r"\d+\.\d+|\d{8}", what)  # Debian's RE2 is a date
        for what in ("Vectorscan", "rsyslogd", "processor", "CPUs", "memory", "date"):
            self.assertTrue(rows[what], what)
        self.assertEqual(rows["date"], self.data["date"])

    def test_each_plot_shows_its_data(self):
        tree = ElementTree.fromstring(self.html.read_bytes())
        wanted = {"rules": (3, [10, 100, 500, 2000]), "shares": (3, [0, 0.5, 5, 14, 50, 100]), "threads": (2, None), "keys": (1, [1000, 10000])}
        self.assertEqual([plot["name"] for plot in self.data["plots"]], list(wanted))
        for plot in self.data["plots"]:
            curves, xs = wanted[plot["name"]]
            self.assertEqual(len(plot["series"]), curves)
            if xs:
                self.assertEqual([x for x, _ in plot["series"][0]["points"]], xs)
            self.assertTrue(plot["commands"])
            self.drawn_as(plot, tree)

    def drawn_as(self, plot, tree):
        """The marks lie where the figures are, on one linear or logarithmic axis for all curves of the plot."""
        name, pairs = plot["name"], ([], [])
        section = tree.find(f".//{HTML}section[@id='plot-{name}']")
        for i, line in enumerate(plot["series"]):
            marks = section.findall(f".//{SVG}g[@id='{name}-series-{i}']//{SVG}use")
            self.assertEqual(len(marks), len(line["points"]), line["name"])
            category = [x for x, _ in line["points"]]
            for mark, (x, y) in zip(marks, line["points"]):
                pairs[0].append(({"log": math.log10, "linear": float, "category": category.index}[plot["x"]["scale"]](x), float(mark.get("x"))))
                pairs[1].append(({"log": math.log10, "linear": float}[plot["y"]["scale"]](y), float(mark.get("y"))))
            self.assertIn(line["name"], text(section.find(f".//{SVG}svg")))
        self.assertNotIn("$", text(section.find(f".//{SVG}svg")))
        for points in pairs:
            (low, from_), (high, to) = min(points), max(points)
            for value, place in points:
                expected = from_ if high == low else from_ + (value - low) / (high - low) * (to - from_)
                self.assertAlmostEqual(place, expected, delta=0.02)

    def test_no_text_becomes_markup(self):
        data = copy.deepcopy(self.data)
        data["machine"]["processor"] = data["machine"][HOSTILE] = data["versions"]["RE2"] = data["date"] = HOSTILE
        data["inputs"].append(HOSTILE)
        data["left_out"].append(HOSTILE)
        data["targets"][0]["what"] = data["targets"][0]["commands"][0] = HOSTILE
        data["plots"].append(LATENCY)
        plot = data["plots"][0]
        plot["title"] = plot["x"]["label"] = plot["y"]["label"] = plot["series"][0]["name"] = plot["commands"][0] = HOSTILE
        tree = self.stands_alone(self.again(data))
        shown = re.sub("[\x00\x1b\udcff]", "\N{REPLACEMENT CHARACTER}", HOSTILE)
        self.assertEqual(text(tree).count(shown), 19)

    def test_latency_is_a_distribution(self):
        data = {**self.data, "plots": [LATENCY]}
        tree = self.stands_alone(self.again(data))
        section = tree.find(f".//{HTML}section[@id='plot-latency']")
        # Four values: eight corners at least of their steps.
        path = section.find(f".//{SVG}g[@id='latency-series-0']/{SVG}path").get("d")
        self.assertGreaterEqual(len(re.findall("[ML]", path)), 7)
        row = [text(cell) for cell in section.find(f".//{HTML}tbody/{HTML}tr")]
        self.assertEqual(row, ["total", "2.50", "20.00", "20.00", "20.00"])


if __name__ == "__main__":
    for program, package in (("rg", "ripgrep"), ("igzip", "isal"), ("sqlite3", "sqlite3")):
        if subprocess.run(["which", program], stdout=subprocess.DEVNULL, check=False).returncode:
            print(f"skipped: {program} is not installed (packaging/install-build-deps --for-tests installs it)")
            sys.exit(77)
    if subprocess.run(["/usr/bin/python3", "-c", "import matplotlib"], stderr=subprocess.DEVNULL, check=False).returncode:
        print("skipped: python3-matplotlib is not installed (packaging/install-build-deps --for-bench-report installs it)")
        sys.exit(77)
    BUILD = sys.argv.pop(1)
    unittest.main()
