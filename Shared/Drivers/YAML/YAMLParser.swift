import CYAML

/// One YAML document read into nodes, by libyaml's event interface. Anchors, aliases and tags are refused: configuration needs none, and
/// aliases can make gigabytes out of a line.
package enum YAMLParser {
    package static let bytesMax = 1024 * 1024
    package static let depthMax = 16
    package static let nodesMax = 10_000

    /// Nil for a document without content.
    package static func parse(_ bytes: [UInt8]) throws(YAMLError) -> YAMLNode? {
        guard bytes.count <= bytesMax else { throw YAMLError(line: 0, reason: "larger than 1 MiB") }
        // The parser keeps a pointer into the input, so the copy must stay where it is until the last event.
        let input = UnsafeMutablePointer<UInt8>.allocate(capacity: max(1, bytes.count))
        defer { input.deallocate() }
        for (index, byte) in bytes.enumerated() { input[index] = byte }
        var events = try EventReader(input, count: bytes.count)
        return try document(&events)
    }

    private static func document(_ events: inout EventReader) throws(YAMLError) -> YAMLNode? {
        var root: YAMLNode?
        while true {
            let event = try events.next()
            switch event.kind {
            case YAML_STREAM_START_EVENT, YAML_DOCUMENT_END_EVENT: continue
            case YAML_DOCUMENT_START_EVENT:
                guard root == nil else { throw YAMLError(line: event.line, reason: "a second document; one is expected") }
                root = try node(try events.next(), &events, depth: 0)
            case YAML_STREAM_END_EVENT: return root
            default: throw YAMLError(line: event.line, reason: "unexpected content")
            }
        }
    }

    private static func node(_ event: Event, _ events: inout EventReader, depth: Int) throws(YAMLError) -> YAMLNode {
        guard depth < depthMax else { throw YAMLError(line: event.line, reason: "nested more than 16 levels deep") }
        guard !event.hasAnchor else { throw YAMLError(line: event.line, reason: "anchors and aliases are not allowed here") }
        switch event.kind {
        case YAML_SCALAR_EVENT:
            let isNull = event.isPlain && (event.text.isEmpty || event.text == "~" || event.text == "null")
            return YAMLNode(content: isNull ? .null : .scalar(event.text), line: event.line)
        case YAML_SEQUENCE_START_EVENT:
            var items: [YAMLNode] = []
            while true {
                let next = try events.next()
                if next.kind == YAML_SEQUENCE_END_EVENT { return YAMLNode(content: .sequence(items), line: event.line) }
                items.append(try node(next, &events, depth: depth + 1))
            }
        case YAML_MAPPING_START_EVENT:
            var pairs: [(key: String, line: Int, value: YAMLNode)] = []
            while true {
                let key = try events.next()
                if key.kind == YAML_MAPPING_END_EVENT { return YAMLNode(content: .mapping(pairs), line: event.line) }
                guard key.kind == YAML_SCALAR_EVENT, !key.hasAnchor else { throw YAMLError(line: key.line, reason: "a key must be plain text") }
                pairs.append((key.text, key.line, try node(try events.next(), &events, depth: depth + 1)))
            }
        default: throw YAMLError(line: event.line, reason: "unexpected content")
        }
    }

    /// What is kept of a libyaml event.
    private struct Event {
        let kind: yaml_event_type_t
        /// From 1.
        let line: Int
        var text = ""
        var isPlain = false
        var hasAnchor = false
    }

    /// Owns the C parser.
    private struct EventReader: ~Copyable {
        private let parser: UnsafeMutablePointer<yaml_parser_t>
        private var count = 0

        init(_ input: UnsafePointer<UInt8>, count: Int) throws(YAMLError) {
            parser = .allocate(capacity: 1)
            guard yaml_parser_initialize(parser) == 1 else {
                parser.deallocate()
                throw YAMLError(line: 0, reason: "out of memory")
            }
            yaml_parser_set_input_string(parser, input, count)
        }

        deinit {
            yaml_parser_delete(parser)
            parser.deallocate()
        }

        mutating func next() throws(YAMLError) -> Event {
            count += 1
            guard count <= nodesMax else { throw YAMLError(line: 0, reason: "more than 10000 values") }
            var event = yaml_event_t()
            guard yaml_parser_parse(parser, &event) == 1 else {
                let problem = parser.pointee.problem.map { String(cString: $0) } ?? "not YAML"
                throw YAMLError(line: Int(parser.pointee.problem_mark.line) + 1, reason: problem)
            }
            // "An application must free any buffers associated with the produced event object": copied first.
            defer { yaml_event_delete(&event) }
            var copy = Event(kind: event.type, line: Int(event.start_mark.line) + 1)
            switch event.type {
            case YAML_ALIAS_EVENT: copy.hasAnchor = true
            case YAML_SCALAR_EVENT:
                let scalar = event.data.scalar
                copy.text = String(decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
                copy.isPlain = scalar.style == YAML_PLAIN_SCALAR_STYLE
                copy.hasAnchor = scalar.anchor != nil
            case YAML_SEQUENCE_START_EVENT: copy.hasAnchor = event.data.sequence_start.anchor != nil
            case YAML_MAPPING_START_EVENT: copy.hasAnchor = event.data.mapping_start.anchor != nil
            default: break
            }
            return copy
        }
    }
}
