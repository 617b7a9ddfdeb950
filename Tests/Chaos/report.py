"""One table: what was broken, and what became of every sample."""

import json

LABELS = [
    ("produced", "samples produced"), ("stored", "stored"), ("thinned", "thinned, with receipt"), ("evicted", "evicted, with receipt"),
    ("damaged", "lost to a damaged buffer, told of"), ("left", "still on devices"), ("lost", "lost"), ("duplicated", "duplicated"),
    ("altered", "altered"),
]
FINDINGS_TOLD = 20


class Report:
    def __init__(self, run, account):
        self.run, self.account = run, account
        self.counts = account["counts"]
        self.faults = sum(run.counts.values())
        self.crashes = [crash for service in [*run.services, *run.extras] for crash in service.crashes]
        self.is_good = (
            all(self.counts[name] == 0 for name in ["lost", "duplicated", "altered", "left"]) and self.counts["produced"] > 0
            and not self.crashes and not account["refused"] and not run.agents_left)

    def text(self):
        seconds = self.run.drained - self.run.began
        lines = [
            f"Chaos, seed {self.run.options.seed}: {self.faults} faults in {self.run.options.minutes:g} minutes, then healed and drained; "
            f"{seconds:.0f} s in all", ""]
        lines += [f"  {count:>12,}  {kind}" for kind, count in sorted(self.run.counts.items())]
        lines += [f"  {self.faults:>12,}  faults", ""]
        lines += [f"  {self.counts[name]:>12,}  {label}" for name, label in LABELS]
        for reason, count in sorted(self.account["refused"].items()):
            lines.append(f"  {count:>12,}  batches refused: {reason}")
        lines += ["", f"  {self.account['devices']:>12,}  devices"]
        for agent in self.run.agents_left:
            lines.append(f"  {agent.name} has not delivered everything")
        lines += [f"  {finding}" for finding in self.account["findings"][:FINDINGS_TOLD]]
        lines += [f"  {crash}" for crash in self.crashes]
        lines += ["", "whole: nothing lost, nothing twice" if self.is_good else "NOT WHOLE"]
        return "\n".join(lines)

    def json(self):
        return json.dumps({
            "seed": self.run.options.seed, "minutes": self.run.options.minutes, "faults": dict(self.run.counts), "faults_total": self.faults,
            "samples": self.counts, "devices": self.account["devices"], "refused": self.account["refused"],
            "findings": self.account["findings"], "crashes": self.crashes, "whole": self.is_good,
        })
