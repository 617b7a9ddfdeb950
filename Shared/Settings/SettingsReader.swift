import LinuxDriver
import YAMLDriver

/// A program's configuration while it is read: a YAML file, those of its drop-in folder over it, and the environment over them. The program asks for
/// each key it knows, by dotted name; every mistake is collected with file, line, key and reason, and `finish` tells them all, keys nobody asked for
/// among them.
///
/// `broker.port` is overridden by the environment variable `FARWATCH_BROKER_PORT`; a list there is parted by commas.
package struct SettingsReader {
    private enum Value {
        case scalar(String)
        case list([String])
    }

    private struct Entry {
        let value: Value
        let file: String
        let line: Int
        var isUsed = false

        var place: String { file + ":" + String(line) }
    }

    package private(set) var problems: [SettingsProblem] = []
    /// Those that have been read.
    package internal(set) var passwordFiles: [String] = []
    private let file: String
    /// The one that is read just now: `file` or a drop-in.
    private var current: String
    private let environment: (String) -> String?
    private var entries: [String: Entry] = [:]
    private var order: [String] = []
    private var knownKeys: [String] = []

    /// Reads `file` and what lies in its drop-in folder. When it is not there that is a problem only if it `isRequired`.
    package init(file: String, isRequired: Bool, environment: @escaping (String) -> String?) {
        self.file = file
        current = file
        self.environment = environment
        do throws(SystemError) {
            if isRequired || SmallFile.exists(file) { read(try SmallFile.read(file, limit: YAMLParser.bytesMax)) }
            let dropIns = try DropIns.files(of: file)
            // Which of them count must not depend on how many there are.
            if dropIns.count > DropIns.filesMax { refuse("", "more than " + String(DropIns.filesMax) + " files in its drop-in folder") }
            for dropIn in dropIns.prefix(DropIns.filesMax) {
                current = dropIn
                read(try SmallFile.read(dropIn, limit: YAMLParser.bytesMax))
            }
        } catch {
            problems.append(SettingsProblem(place: error.subject, key: "", reason: "cannot " + error.operation + " it: " + error.reason))
        }
        current = file
    }

    /// Reads YAML from memory; `name` stands for the file.
    package init(_ text: String, name: String, environment: @escaping (String) -> String?) {
        file = name
        current = name
        self.environment = environment
        read(Array(text.utf8))
    }

    private mutating func read(_ bytes: [UInt8]) {
        do throws(YAMLError) {
            guard let root = try YAMLParser.parse(bytes) else { return }
            if case .null = root.content { return }
            guard case .mapping(let pairs) = root.content else {
                return note(line: root.line, "", "expected `key: value` lines at the top of the file")
            }
            for pair in pairs { take(pair.value, key: pair.key, line: pair.line) }
        } catch {
            note(line: error.line, "", "not readable as YAML: " + error.reason)
        }
    }

    /// Flattens nested mappings into dotted keys.
    private mutating func take(_ node: YAMLNode, key: String, line: Int) {
        switch node.content {
        case .null: add(key, Entry(value: .scalar(""), file: current, line: line))
        case .scalar(let text): add(key, Entry(value: .scalar(text), file: current, line: line))
        case .mapping(let pairs): for pair in pairs { take(pair.value, key: key + "." + pair.key, line: pair.line) }
        case .sequence(let items):
            var texts: [String] = []
            for item in items {
                guard case .scalar(let text) = item.content else { return note(line: item.line, key, "expected a list of plain values") }
                texts.append(text)
            }
            add(key, Entry(value: .list(texts), file: current, line: line))
        }
    }

    private mutating func add(_ key: String, _ entry: Entry) {
        if let earlier = entries[key] {
            if earlier.file == current { return note(line: entry.line, key, "stands here a second time; first on line " + String(earlier.line)) }
        } else {
            order.append(key)
        }
        entries[key] = entry
    }

    private mutating func note(line: Int, _ key: String, _ reason: String) {
        problems.append(SettingsProblem(place: line > 0 ? current + ":" + String(line) : current, key: key, reason: reason))
    }

    // MARK: Asking

    /// The variable that overrides a key.
    package static func variable(for key: String) -> String {
        var name = "FARWATCH_"
        for character in key.utf8 {
            switch character {
            case UInt8(ascii: "a")...UInt8(ascii: "z"): name.unicodeScalars.append(Unicode.Scalar(character - 32))
            case UInt8(ascii: "."): name += "_"
            default: name.unicodeScalars.append(Unicode.Scalar(character))
            }
        }
        return name
    }

    /// What is set for a key and where, in the environment or else the file; an empty value counts as not set.
    private mutating func look(_ key: String) -> (value: Value, place: String)? {
        knownKeys.append(key)
        let variable = Self.variable(for: key)
        let entry = entries[key]
        entries[key]?.isUsed = true
        if let text = environment(variable), !text.isEmpty { return (.scalar(text), variable) }
        guard let entry else { return nil }
        if case .scalar("") = entry.value { return nil }
        return (entry.value, entry.place)
    }

    /// A value that `parse` understands; `expected` says what that is.
    package mutating func value<Parsed>(_ key: String, default fallback: Parsed, expected: String, parse: (String) -> Parsed?) -> Parsed {
        guard let (value, place) = look(key) else { return fallback }
        guard case .scalar(let text) = value else {
            problems.append(SettingsProblem(place: place, key: key, reason: "expected " + expected + ", not a list"))
            return fallback
        }
        if let parsed = parse(text) { return parsed }
        problems.append(SettingsProblem(place: place, key: key, reason: "expected " + expected + ", got \"" + text + "\""))
        return fallback
    }

    package mutating func string(_ key: String, default fallback: String = "") -> String {
        value(key, default: fallback, expected: "a text") { $0 }
    }

    package mutating func optionalString(_ key: String) -> String? {
        let text = string(key)
        return text.isEmpty ? nil : text
    }

    package mutating func integer(_ key: String, default fallback: Int64, in range: ClosedRange<Int64>) -> Int64 {
        let expected = "a whole number from " + String(range.lowerBound) + " to " + String(range.upperBound)
        return value(key, default: fallback, expected: expected) { text in Int64(text).flatMap { range.contains($0) ? $0 : nil } }
    }

    package mutating func bool(_ key: String, default fallback: Bool) -> Bool {
        value(key, default: fallback, expected: "true or false") { text in
            switch text {
            case "true", "yes", "on": true
            case "false", "no", "off": false
            default: nil
            }
        }
    }

    /// A duration, in milliseconds.
    package mutating func duration(_ key: String, default fallback: Int64, in range: ClosedRange<Int64>) -> Int64 {
        let expected =
            "a duration from " + SettingsUnits.text(milliseconds: range.lowerBound) + " to " + SettingsUnits.text(milliseconds: range.upperBound)
            + " such as 10s, 5m or 1h"
        return value(key, default: fallback, expected: expected) { text in
            SettingsUnits.milliseconds(text).flatMap { range.contains($0) ? $0 : nil }
        }
    }

    /// A size in bytes.
    package mutating func bytes(_ key: String, default fallback: Int64, in range: ClosedRange<Int64>) -> Int64 {
        let expected =
            "a size from " + SettingsUnits.text(bytes: range.lowerBound) + " to " + SettingsUnits.text(bytes: range.upperBound) + " such as 64MiB"
        return value(key, default: fallback, expected: expected) { text in
            SettingsUnits.bytes(text).flatMap { range.contains($0) ? $0 : nil }
        }
    }

    package mutating func list(_ key: String, default fallback: [String] = []) -> [String] {
        guard let (value, _) = look(key) else { return fallback }
        switch value {
        case .list(let items): return items
        case .scalar(let text):
            var items: [String] = []
            for item in text.split(separator: ",") {
                var trimmed = item.drop { $0 == " " }
                while trimmed.last == " " { trimmed.removeLast() }
                if !trimmed.isEmpty { items.append(String(trimmed)) }
            }
            return items
        }
    }

    /// Where a key is set, for a problem that is found later; the file itself when it is not set.
    package func place(of key: String) -> String {
        let variable = Self.variable(for: key)
        if let text = environment(variable), !text.isEmpty { return variable }
        return entries[key]?.place ?? file
    }

    /// Notes a problem with a key's value that only the program could see.
    package mutating func refuse(_ key: String, _ reason: String) {
        problems.append(SettingsProblem(place: place(of: key), key: key, reason: reason))
    }

    /// Every mistake, after all known keys have been asked for: those of the file first in its order, unknown keys last.
    package mutating func finish() -> [SettingsProblem] {
        for key in order where entries[key]?.isUsed == false && !isEmptySection(key) {
            let likely = nearest(to: key).map { "; did you mean " + $0 + "?" } ?? ""
            problems.append(SettingsProblem(place: entries[key]?.place ?? file, key: key, reason: "unknown key" + likely))
        }
        return problems
    }

    /// `buffer:` with all of its keys commented out.
    private func isEmptySection(_ key: String) -> Bool {
        guard case .scalar("")? = entries[key]?.value else { return false }
        return knownKeys.contains { $0.utf8.starts(with: (key + ".").utf8) }
    }

    /// The known key that takes the fewest edits from this one, when they are few.
    private func nearest(to key: String) -> String? {
        var best: (key: String, distance: Int)?
        for known in knownKeys {
            let distance = Self.editDistance(Array(key.utf8), Array(known.utf8))
            if distance <= 3, distance < best?.distance ?? .max { best = (known, distance) }
        }
        return best?.key
    }

    /// Levenshtein's distance, for keys of at most a hundred characters.
    private static func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        guard a.count <= 100, b.count <= 100 else { return .max }
        var row = Array(0...b.count)
        for i in 0..<a.count {
            var diagonal = row[0]
            row[0] = i + 1
            for j in 0..<b.count {
                let substituted = diagonal + (a[i] == b[j] ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(substituted, row[j] + 1, row[j + 1] + 1)
            }
        }
        return row[b.count]
    }
}
