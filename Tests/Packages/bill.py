"""Whether a package's bill of materials is one and complete: bill.py UNPACKED PACKAGE DEPENDS"""
import json
import pathlib
import re
import subprocess
import sys

folder, package, depends = sys.argv[1:]
text = (pathlib.Path(folder) / f"usr/share/doc/{package}/{package}.spdx.json").read_text()
bill = json.loads(text)
assert bill["spdxVersion"] == "SPDX-2.3" and bill["dataLicense"] == "CC0-1.0" and bill["SPDXID"] == "SPDXRef-DOCUMENT", "not SPDX 2.3"
assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", bill["creationInfo"]["created"]), "no time"
ids = [item["SPDXID"] for item in bill["packages"]]
assert len(ids) == len(set(ids)), "an id stands for two"
known = set(ids) | {"SPDXRef-DOCUMENT"}
for item in bill["packages"]:
    assert item["name"] and item["downloadLocation"] and item["filesAnalyzed"] is False and item["versionInfo"], item
related = set()
for relation in bill["relationships"]:
    assert relation["spdxElementId"] in known and relation["relatedSpdxElement"] in known, relation
    related.add(relation["relatedSpdxElement"])
assert related == set(ids), "a package that nothing leads to"
names = {item["SPDXID"]: item["name"] for item in bill["packages"]}
loaded = {names[item["relatedSpdxElement"]] for item in bill["relationships"] if item["relationshipType"] == "DYNAMIC_LINK"}
# What has alternatives is of the scripts.
wanted = {item.split(" ")[0].split(":")[0] for item in depends.split(", ") if "|" not in item}
assert wanted == loaded, f"depends on {sorted(wanted)}, the bill says {sorted(loaded)}"
for needed in re.findall(r"NEEDED.*\[(.*)\]", subprocess.run(
        ["readelf", "-d", f"{folder}/usr/bin/{package}"], capture_output=True, text=True, check=True).stdout):
    assert not needed.startswith(("libswift", "libFoundation", "libdispatch", "libhiredis")), f"loads {needed}, which its packages do not bring"
print(len(ids), "packages")
