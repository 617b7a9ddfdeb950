"""Reads what is on the wire, from the format page alone: Shared/README.md, whose lists and tables are taken from its text.

    decode.py FILE …     hexadecimal files; one JSON object a line: what each holds, and which of the format's features it uses

Independent of the code under test, slow, and strict only as far as the page is.
"""

import json
import os
import re
import struct
import sys

PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../Shared/README.md")
WRAP = (1 << 64) - 1
TOTAL, STATE_MIN, FOUR_STATES_SAMPLES_MIN = 1024, 1 << 16, 4096


class Page:
    """The lists of the format page."""

    def __init__(self):
        with open(PAGE, encoding="utf-8") as file:
            text = file.read()
        known = re.search(r"Known shapes: (.*?)\n\n", text, re.S).group(1)
        shapes = {int(number): (name, [label] if label else []) for number, name, label in re.findall(r"(\d+)\s+`(\w+)`(?:\s+\(`(\w+)`\))?", known)}
        for first, suffix in re.findall(r"(\d+)…\d+\s+(?:are\s+1…11\s+)?with `(:\w+)`", known):
            for number in range(1, 12):
                shapes[int(first) + number - 1] = (shapes[number][0] + suffix, shapes[number][1])
        self.shapes = shapes
        values = re.search(r"Known values: (.*?)\n\n", text, re.S).group(1)
        self.values = {int(number): value for number, value in re.findall(r"(\d+)\s+`([^`]+)`", values)}
        lengths = "".join(re.findall(r"^    [0-9a-f]{2}  ([0-9a-f]{64})$", text, re.M))
        self.codes = self.prefix_codes([int(digit, 16) for digit in lengths])
        tables, current = [], None
        for line in text[text.index("The built-in tables"):text.index("Tokens are coded by")].splitlines():
            begin = re.match(r"    ( \d|\d\d)  ([0-9a-f]+)$", line)
            more = re.match(r"        ([0-9a-f]+)$", line)
            if begin:
                tables.append(begin.group(2))
            elif more:
                tables[-1] += more.group(1)
        self.tables = [table(Reader(bytes.fromhex(one))) for one in tables]
        assert len(self.codes) == 256 and len(self.tables) == 12 and len(self.shapes) == 48 and len(self.values) == 22

    @staticmethod
    def prefix_codes(lengths):
        codes, code, last = {}, 0, 0
        for length, byte in sorted((length, byte) for byte, length in enumerate(lengths)):
            code = (code + 1 if codes else 0) << (length - last)
            last = length
            codes[length, code] = byte
        return codes


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        assert count <= len(self.data) - self.at, "truncated"
        self.at += count
        return self.data[self.at - count:self.at]

    def byte(self):
        return self.take(1)[0]

    def uint(self, size):
        return int.from_bytes(self.take(size), "little")

    def varint(self):
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                assert value <= WRAP and (byte or shift == 7)
                return value

    def signed(self):
        value = self.varint()
        return value >> 1 ^ -(value & 1)

    def text(self):
        return self.take(self.varint()).decode()

    @property
    def rest(self):
        return len(self.data) - self.at


def signed64(value):
    value &= WRAP
    return value - (1 << 64) if value >> 63 else value


def table(reader):
    frequencies = []
    while sum(frequencies) < TOTAL:
        frequencies.append(reader.varint())
        if frequencies[-1] == 0:
            frequencies += [0] * reader.byte()
    assert sum(frequencies) == TOTAL and len(frequencies) <= 151
    return frequencies


class Tokens:
    """The words and bits at a block's end."""

    def __init__(self, reader, samples):
        count = reader.varint()
        self.states = [reader.uint(4) for _ in range(4 if samples >= FOUR_STATES_SAMPLES_MIN else 1)]
        assert all(state >= STATE_MIN for state in self.states)
        self.words = struct.unpack(f"<{count}H", reader.take(2 * count))
        self.bit_count = 8 * reader.rest
        self.bits = int.from_bytes(reader.take(reader.rest), "little")
        self.word = self.bit = 0

    def residuals(self, frequencies, count):
        slots = [(token, frequency, place) for token, frequency in enumerate(frequencies) for place in range(frequency)]
        tokens = []
        for index in range(count):
            lane = index % len(self.states)
            state = self.states[lane]
            token, frequency, place = slots[state % TOTAL]
            state = frequency * (state // TOTAL) + place
            if state < STATE_MIN:
                state = state << 16 | self.words[self.word]
                self.word += 1
            self.states[lane] = state
            tokens.append(token)
        return [self.residual(token) for token in tokens]

    def residual(self, token):
        if token <= 30:
            magnitude = (token + 1) // 2
        else:
            power = (token - 23) // 2
            magnitude = (1 << power) + (self.bits >> self.bit & ((1 << power) - 1))
            self.bit += power
        return magnitude if token % 2 else -magnitude

    def expect_end(self):
        assert self.word == len(self.words) and all(state == STATE_MIN for state in self.states)
        assert 0 <= self.bit_count - self.bit < 8 and self.bits >> self.bit == 0


class Plan:
    """What a tag and what follows it say."""

    def __init__(self, reader, tag, count, features):
        self.form, self.order, self.count = tag & 15, tag >> 4 & 3, count
        assert self.form <= 13
        features.add(f"form {self.form}" if self.form in (0, 13) else "form 1…12")
        self.reference, self.slope, self.scale, self.exceptions, self.table, self.own = False, None, 1, {}, 0, None
        if self.order == 3:
            features.add("constant")
            self.base = reader.uint(8) if self.form == 13 else reader.signed()
            return
        assert count > self.order
        features.add(f"order {self.order}")
        flags = reader.byte()
        self.reference = bool(flags & 0x10)
        self.base = reader.uint(8) if self.form == 13 and not self.reference else reader.signed()
        if flags & 0x20:
            self.slope = reader.signed()
        if flags & 0x40:
            self.scale = reader.varint()
        if flags & 0x80:
            self.read_exceptions(reader)
        self.table = flags & 15
        assert self.table != 15
        if self.table == 2:
            self.own = table(reader)
        names = {0x10: "reference", 0x20: "slope", 0x40: "scale", 0x80: "exceptions"}
        features |= {name for flag, name in names.items() if flags & flag}
        features.add({0: "no tokens", 1: "table before", 2: "own table"}.get(self.table, "built-in table"))

    def read_exceptions(self, reader):
        at, last = -1, None
        for _ in range(reader.varint()):
            head = reader.varint()
            at += 1 + head // 2
            last = last if head % 2 else reader.uint(8)
            assert at < self.count and last is not None
            self.exceptions[at] = last

    def integers(self, tokens, tables, implied, before):
        if self.order == 3:
            return [self.base] * self.count
        slope = implied if self.slope is None else self.slope
        left = self.count - self.order
        e = [0] * self.order + (tokens.residuals(tables[self.table], left) if self.table else [0] * left)
        x = []
        for i in range(self.count):
            step = self.scale * e[i]
            if self.order == 0:
                x.append(self.base + slope * i + step)
            elif i == 0:
                x.append(self.base)
            elif self.order == 1:
                x.append(x[-1] + slope + step)
            else:
                x.append(self.base + slope if i == 1 else 2 * x[-1] - x[-2] + step)
        if self.reference:
            assert before.form == self.form and before.order != 3 and len(before.result) == self.count
            x = [a + b for a, b in zip(x, before.result)]
        self.result = [signed64(a) for a in x]
        return self.result

    def values(self, integers):
        if self.form == 13:
            values = [struct.unpack("<d", struct.pack("<Q", x & WRAP))[0] for x in integers]
        else:
            values = [float(x) / float(10 ** self.form) for x in integers]
        for at, bits in self.exceptions.items():
            values[at] = struct.unpack("<d", struct.pack("<Q", bits))[0]
        return values


def schema(data, columns, page, features):
    reader = Reader(data)
    shapes, values, series, last = [], [], [], {"metric": b"", "label": b"", "value": b""}

    def text(kind):
        shared = reader.varint()
        assert shared <= len(last[kind])
        last[kind] = last[kind][:shared] + reader.take(reader.varint())
        return last[kind].decode()

    def shape():
        number = reader.varint()
        if number:
            features.add("known shape" if number < 96 else "shape before")
            return page.shapes[number] if number < 96 else shapes[number - 96]
        features.add("new shape")
        metric = text("metric")
        count = reader.varint()
        if count > 32:
            features.add("labels of a shape before")
        shapes.append((metric, shapes[count - 33][1] if count > 32 else [text("label") for _ in range(count)]))
        return shapes[-1]

    for _ in range(columns):
        metric, names = shape()
        labels, is_before = [], False
        for name in names:
            number = None if is_before else reader.varint()
            if number == 1:
                features.add("values before")
                is_before = True
                assert len(series[-1][1]) == len(names)
            if is_before:
                value = series[-1][1][len(labels)][1]
            elif number == 0:
                features.add("new value")
                value = text("value")
                values.append(value)
            else:
                features.add("known value" if number < 32 else "value before")
                value = page.values[number] if number < 32 else values[number - 32]
            labels.append([name, value])
        series.append((metric, labels))
    assert not reader.rest
    return series


def uncoded(data, page):
    result, code, length = bytearray(), 0, 0
    for byte in data:
        for bit in range(8):
            code, length = code << 1 | byte >> bit & 1, length + 1
            if (length, code) in page.codes:
                result.append(page.codes[length, code])
                code = length = 0
    assert length < 8 and code == (1 << length) - 1
    return bytes(result)


def presence(reader, kind, ticks, last, features):
    features.add(("everywhere", "presence before", "runs", "bitmap")[kind])
    if kind == 0:
        return [True] * ticks
    if kind == 1:
        return last
    if kind == 3:
        bits = int.from_bytes(reader.take((ticks + 7) // 8), "little")
        assert bits >> ticks == 0
        return [bool(bits >> tick & 1) for tick in range(ticks)]
    result, is_there = [], True
    while len(result) < ticks:
        result += [is_there] * reader.varint()
        is_there = not is_there
    assert len(result) == ticks
    return result


def block(data, page):
    reader, features = Reader(data), set()
    assert reader.byte() == 2
    ticks, columns, samples, oldest, span = reader.varint(), reader.varint(), reader.varint(), reader.signed(), reader.varint()
    stamps = Plan(reader, reader.byte(), ticks, set())
    length = reader.varint()
    data = reader.take(length // 2)
    features.add("coded schema" if length % 2 else "plain schema")
    series = schema(uncoded(data, page) if length % 2 else data, columns, page, features)
    plans, there, last = [], [], None
    for _ in range(columns):
        tag = reader.byte()
        is_there = presence(reader, tag >> 6, ticks, last, features)
        last = is_there if tag >> 6 else last
        there.append(is_there)
        plans.append(Plan(reader, tag, sum(is_there), features))
    assert sum(plan.count for plan in plans) == samples
    tokens = Tokens(reader, samples) if any(plan.table for plan in [stamps] + plans) else None
    if tokens:
        features.add(f"{len(tokens.states)} states")
    tables = {3 + index: one for index, one in enumerate(page.tables)}

    def integers(plan, implied, before):
        if plan.own:
            tables[1] = tables[2] = plan.own
        return plan.integers(tokens, tables, implied, before)

    times = [signed64(oldest + x) for x in integers(stamps, span // (ticks - 1) if ticks > 1 else 0, None)]
    assert min(times) == oldest and max(times) == oldest + span
    content, before = [], None
    for (metric, labels), plan, is_there in zip(series, plans, there):
        values = iter(plan.values(integers(plan, 0, before)))
        content.append({"metric": metric, "labels": labels, "values": [shown(next(values)) if one else None for one in is_there]})
        before = plan
    if tokens:
        tokens.expect_end()
    assert not reader.rest
    return {"block": {"timestamps": times, "columns": content}, "features": sorted(features)}


def shown(value):
    """A number, or the bit pattern of what JSON has no number for."""
    if value - value == 0 and not (value == 0 and struct.pack("<d", value)[-1]):
        return value
    return "0x" + struct.pack(">d", value).hex()


def crc32c(data):
    value = 0xFFFFFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
    return value ^ 0xFFFFFFFF


def batch(data, page):
    reader, features = Reader(data), set()
    assert reader.take(2) == b"FW" and reader.byte() == 1
    flags, kind, priority = reader.byte(), reader.byte(), reader.byte()
    content = {
        "kind": {1: "samples", 2: "document", 3: "event"}[kind], "priority": priority, "device": reader.take(reader.byte()).decode(),
        "stream": f"0x{reader.uint(8):016x}", "sequence": reader.varint(), "span": reader.varint(), "resolution": reader.varint()}
    assert flags in (0, 1)
    if flags:
        content["origin"] = {"stream": f"0x{reader.uint(8):016x}", "sequence": reader.varint()}
    content["sealed_at"] = reader.signed()
    content["payload"] = reader.take(reader.varint()).hex()
    covered = reader.at
    assert reader.uint(4) == crc32c(data[:covered]) and not reader.rest
    features |= {name for name, is_there in (("origin", flags), ("span", content["span"] > 1), ("resolution", content["resolution"])) if is_there}
    return {"batch": content, "features": sorted(features)}


def acknowledgement(data):
    reader, features = Reader(data), set()
    assert reader.take(2) == b"FA" and reader.byte() == 1 and reader.byte() == 0
    content = {"stream": f"0x{reader.uint(8):016x}", "pace": reader.varint(), "runs": []}
    for _ in range(reader.varint()):
        run = {"first": reader.varint(), "count": reader.varint(), "outcome": ("committed", "refused")[reader.byte()]}
        if run["outcome"] == "refused":
            run["reason"] = reader.text()
        features.add(run["outcome"])
        content["runs"].append(run)
    covered = reader.at
    assert reader.uint(4) == crc32c(data[:covered]) and not reader.rest
    if content["pace"]:
        features.add("pace")
    return {"acknowledgement": content, "features": sorted(features)}


def main():
    page = Page()
    for path in sys.argv[1:]:
        with open(path, encoding="ascii") as file:
            data = bytes.fromhex("".join(file.read().split()))
        result = batch(data, page) if data[:2] == b"FW" else acknowledgement(data) if data[:2] == b"FA" else block(data, page)
        print(json.dumps({"file": os.path.basename(path)} | result))


if __name__ == "__main__":
    main()
