"""References of a report: data sets, methods and packages, as BibTeX."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version

from lens_triage.training.report.facts import SearchFacts

_LATEX = {"&": r"\&", "%": r"\%", "_": r"\_", "#": r"\#", "é": r"{\'e}", "ž": r"{\v{z}}"}


@dataclass(frozen=True)
class Reference:
    """One entry.

    Attributes
    ----------
    key : str
        By which text cites it.
    short : str
        As text shows it: authors and year.
    kind : str
        ``article``, ``inproceedings``, ``software`` and so on.
    fields : mapping
        BibTeX fields, plain text.
    """

    key: str
    short: str
    kind: str
    fields: Mapping[str, str]

    def noting(self, note: str) -> Reference:
        """The same with a note, such as a version."""
        return replace(self, fields={**self.fields, "note": note})

    def to_bibtex(self) -> str:
        """The entry as BibTeX."""
        lines = [f"  {name} = {{{_tex(name, text)}}}" for name, text in self.fields.items()]
        return f"@{self.kind}{{{self.key},\n" + ",\n".join(lines) + "\n}\n"


def _tex(name: str, text: str) -> str:
    if name in ("doi", "url", "eprint"):
        return text
    return "".join(_LATEX.get(c, c) for c in re.sub(r"[{}\\]", " ", text))


def _article(
    key: str, short: str, author: str, year: int, title: str, journal: str, volume: str, pages: str,
    doi: str = "",
) -> Reference:  # fmt: skip
    fields = {"author": author, "year": str(year), "title": title, "journal": journal,
              "volume": volume, "pages": pages}  # fmt: skip
    return Reference(key, short, "article", {**fields, "doi": doi} if doi else fields)


def _proceedings(
    key: str, short: str, author: str, year: int, title: str, book: str, pages: str
) -> Reference:
    fields = {"author": author, "year": str(year), "title": title, "booktitle": book,
              "pages": pages}  # fmt: skip
    return Reference(key, short, "inproceedings", fields)


def _preprint(key: str, short: str, author: str, year: int, title: str, number: str) -> Reference:
    return Reference(key, short, "misc", {"author": author, "year": str(year), "title": title,
                                          "eprint": number, "archivePrefix": "arXiv"})  # fmt: skip


SURVEYS: dict[str, Reference] = {
    "sdss": _article("York2000", "York et al. 2000", "York, D. G. and others", 2000,
        "The Sloan Digital Sky Survey: Technical Summary", "The Astronomical Journal", "120",
        "1579", "10.1086/301513"),
    "des": _article("Abbott2021", "Abbott et al. 2021", "Abbott, T. M. C. and others", 2021,
        "The Dark Energy Survey Data Release 2", "The Astrophysical Journal Supplement Series",
        "255", "20", "10.3847/1538-4365/ac00b3"),
    "decals": _article("Dey2019", "Dey et al. 2019", "Dey, A. and others", 2019,
        "Overview of the DESI Legacy Imaging Surveys", "The Astronomical Journal", "157", "168",
        "10.3847/1538-3881/ab089d"),
    "kids": _article("Kuijken2019", "Kuijken et al. 2019", "Kuijken, K. and others", 2019,
        "The fourth data release of the Kilo-Degree Survey", "Astronomy & Astrophysics", "625",
        "A2", "10.1051/0004-6361/201834918"),
    "hsc": _article("Aihara2022", "Aihara et al. 2022", "Aihara, H. and others", 2022,
        "Third data release of the Hyper Suprime-Cam Subaru Strategic Program",
        "Publications of the Astronomical Society of Japan", "74", "247", "10.1093/pasj/psab122"),
    "ps1": _preprint("Chambers2016", "Chambers et al. 2016", "Chambers, K. C. and others", 2016,
        "The Pan-STARRS1 Surveys", "1612.05560"),
    "lsst": _article("Ivezic2019", "Ivezić et al. 2019", "Ivezic, Z. and others", 2019,
        "LSST: From Science Drivers to Reference Design and Anticipated Data Products",
        "The Astrophysical Journal", "873", "111", "10.3847/1538-4357/ab042c"),
    "euclid": _article("Mellier2025", "Euclid Collaboration: Mellier et al. 2025",
        "Euclid Collaboration and Mellier, Y. and others", 2025,
        "Euclid. I. Overview of the Euclid mission", "Astronomy & Astrophysics", "697", "A1",
        "10.1051/0004-6361/202450810"),
}  # fmt: skip

METHODS: dict[str, Reference] = {
    "metcalf": _article("Metcalf2019", "Metcalf et al. 2019", "Metcalf, R. B. and others", 2019,
        "The strong gravitational lens finding challenge", "Astronomy & Astrophysics", "625",
        "A119", "10.1051/0004-6361/201832797"),
    "clopper": _article("ClopperPearson1934", "Clopper & Pearson 1934",
        "Clopper, C. J. and Pearson, E. S.", 1934, "The use of confidence or fiducial limits "
        "illustrated in the case of the binomial", "Biometrika", "26", "404",
        "10.1093/biomet/26.4.404"),
    "saerens": _article("Saerens2002", "Saerens et al. 2002",
        "Saerens, M. and Latinne, P. and Decaestecker, C.", 2002, "Adjusting the outputs of a "
        "classifier to new a priori probabilities: a simple procedure", "Neural Computation",
        "14", "21", "10.1162/089976602753284446"),
    "swap": _article("Marshall2016", "Marshall et al. 2016", "Marshall, P. J. and others", 2016,
        "SPACE WARPS - I. Crowdsourcing the discovery of gravitational lenses",
        "Monthly Notices of the Royal Astronomical Society", "455", "1171",
        "10.1093/mnras/stv2009"),
    "dawid_skene": _article("DawidSkene1979", "Dawid & Skene 1979", "Dawid, A. P. and Skene, A. M.",
        1979, "Maximum likelihood estimation of observer error-rates using the EM algorithm",
        "Journal of the Royal Statistical Society, Series C", "28", "20", "10.2307/2346806"),
    "fleiss": _article("Fleiss1971", "Fleiss 1971", "Fleiss, J. L.", 1971,
        "Measuring nominal scale agreement among many raters", "Psychological Bulletin", "76",
        "378", "10.1037/h0031619"),
    "temperature": _proceedings("Guo2017", "Guo et al. 2017",
        "Guo, C. and Pleiss, G. and Sun, Y. and Weinberger, K. Q.", 2017,
        "On Calibration of Modern Neural Networks",
        "Proceedings of the 34th International Conference on Machine Learning", "1321"),
    "platt": _proceedings("Platt1999", "Platt 1999", "Platt, J.", 1999, "Probabilistic outputs for "
        "support vector machines and comparisons to regularized likelihood methods",
        "Advances in Large Margin Classifiers", "61"),
    "isotonic": _proceedings("ZadroznyElkan2002", "Zadrozny & Elkan 2002",
        "Zadrozny, B. and Elkan, C.", 2002, "Transforming classifier scores into accurate "
        "multiclass probability estimates", "Proceedings of the 8th ACM SIGKDD International "
        "Conference on Knowledge Discovery and Data Mining", "694"),
}  # fmt: skip

PACKAGES: dict[str, Reference] = {
    "lens-triage": Reference("lenstriage", "lens-triage", "misc", {
        "author": "{The lens-triage developers}", "year": "2026",
        "title": "lens-triage: search for strong gravitational lenses in survey images"}),
    "astropy": _article("Astropy2022", "Astropy Collaboration et al. 2022",
        "Astropy Collaboration and others", 2022, "The Astropy Project: Sustaining and Growing a "
        "Community-oriented Open-source Project and the Latest Major Release (v5.0) of the Core "
        "Package", "The Astrophysical Journal", "935", "167", "10.3847/1538-4357/ac7c74"),
    "numpy": _article("Harris2020", "Harris et al. 2020", "Harris, C. R. and others", 2020,
        "Array programming with NumPy", "Nature", "585", "357", "10.1038/s41586-020-2649-2"),
    "scipy": _article("Virtanen2020", "Virtanen et al. 2020", "Virtanen, P. and others", 2020,
        "SciPy 1.0: fundamental algorithms for scientific computing in Python", "Nature Methods",
        "17", "261", "10.1038/s41592-019-0686-2"),
    "matplotlib": _article("Hunter2007", "Hunter 2007", "Hunter, J. D.", 2007,
        "Matplotlib: A 2D Graphics Environment", "Computing in Science & Engineering", "9", "90",
        "10.1109/MCSE.2007.55"),
    "torch": _proceedings("Paszke2019", "Paszke et al. 2019", "Paszke, A. and others", 2019,
        "PyTorch: An Imperative Style, High-Performance Deep Learning Library",
        "Advances in Neural Information Processing Systems 32", "8024"),
    "timm": Reference("Wightman2019", "Wightman 2019", "misc", {"author": "Wightman, R.",
        "year": "2019", "title": "PyTorch Image Models", "doi": "10.5281/zenodo.4414861"}),
    "lightgbm": _proceedings("Ke2017", "Ke et al. 2017", "Ke, G. and others", 2017,
        "LightGBM: A Highly Efficient Gradient Boosting Decision Tree",
        "Advances in Neural Information Processing Systems 30", "3146"),
    "scikit-learn": _article("Pedregosa2011", "Pedregosa et al. 2011", "Pedregosa, F. and others",
        2011, "Scikit-learn: Machine Learning in Python", "Journal of Machine Learning Research",
        "12", "2825"),
    "sep": _article("Barbary2016", "Barbary 2016", "Barbary, K.", 2016,
        "SEP: Source Extractor as a library", "Journal of Open Source Software", "1", "58",
        "10.21105/joss.00058"),
    "caustics": _article("Stone2024", "Stone et al. 2024", "Stone, C. and others", 2024,
        "Caustics: A Python Package for Accelerated Strong Gravitational Lensing Simulations",
        "Journal of Open Source Software", "9", "7081", "10.21105/joss.07081"),
}  # fmt: skip
_ALWAYS = ("lens-triage", "astropy", "numpy", "scipy", "matplotlib")
_OF_KIND = {
    "network": ("torch", "timm"),
    "lightgbm": ("lightgbm", "sep"),
    "encoder": ("torch",),
    "pu_head": ("scikit-learn",),
}


def survey_reference(facts: SearchFacts) -> Reference:
    """The reference of the searched survey; its stored note where it is none of the known ones."""
    catalog = facts.catalog
    known = SURVEYS.get(catalog.survey)
    if known is not None:
        return known.noting(catalog.survey_reference) if catalog.survey_reference else known
    key = "Survey" + re.sub(r"[^A-Za-z0-9]", "", catalog.survey)
    fields = {"title": catalog.survey_title}
    if catalog.survey_reference:
        fields["note"] = catalog.survey_reference
    return Reference(key, catalog.survey_title, "misc", fields)


def package_references(facts: SearchFacts) -> list[Reference]:
    """Packages that the search used, each with the version that its models state, or this one."""
    names = list(_ALWAYS)
    stated = dict(facts.versions)
    if facts.ensemble is not None:
        stated.update(facts.ensemble.versions)
        for _, kind in facts.ensemble.members:
            names += _OF_KIND.get(kind, ())
        if "isotonic" in facts.ensemble.calibration:
            names.append("scikit-learn")
    if facts.catalog.origin == "simulated":
        names.append("caustics")
    references = []
    for name in dict.fromkeys(names):
        number = stated.get(name) or _installed(name)
        entry = PACKAGES[name]
        references.append(entry.noting(f"Version {number}") if number else entry)
    return references


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def to_bibtex(references: Iterable[Reference]) -> str:
    """A BibTeX file, each key once, in order of the keys."""
    by_key = {one.key: one for one in references}
    return "\n".join(by_key[key].to_bibtex() for key in sorted(by_key))
