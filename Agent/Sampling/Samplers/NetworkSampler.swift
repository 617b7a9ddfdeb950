import LinuxDriver
import Telemetry

/// `network_receive_bytes_total` and `network_transmit_bytes_total` of the interfaces that lead out of the machine: `/proc/net/dev`.
struct NetworkSampler {
    static let interfacesMax = 32

    private let file: KernelFile
    private var counters = NamedCounters(
        "network_receive_bytes_total", "network_transmit_bytes_total", label: "interface", entriesMax: interfacesMax)

    init(_ tree: SourceTree) { file = KernelFile(tree.path("/proc/net/dev")) }

    mutating func rediscover() { counters.forgetMissing() }

    mutating func sample(into readings: inout [Reading], buffer: inout [UInt8]) {
        let count = file.readWhole(into: &buffer, lineBytesMax: 512)
        let text = buffer.span.extracting(0..<count)
        var cursor = TextCursor()
        counters.begin()
        repeat {
            guard let line = InterfaceLine(at: &cursor, in: text) else { continue }
            counters.add(line.name, of: text, line.receivedBytes, line.transmittedBytes, into: &readings)
        } while cursor.skipLine(in: text)
    }
}

/// An interface's line of `/proc/net/dev` (proc_pid_net(5)).
struct InterfaceLine {
    let name: Range<Int>
    let receivedBytes: Double
    let transmittedBytes: Double

    /// The name up to a colon, with or without a blank behind it; 8 columns received, then 8 transmitted, each beginning with bytes.
    /// Nil for the headings, and for interfaces within the machine.
    init?(at cursor: inout TextCursor, in text: Span<UInt8>) {
        guard let name = cursor.field(endingWith: ":", in: text), !name.isEmpty, !Self.isInternal(name, in: text),
            let received = cursor.unsigned(in: text), cursor.skipFields(7, in: text), let transmitted = cursor.unsigned(in: text)
        else { return nil }
        self.name = name
        receivedBytes = Double(received)
        transmittedBytes = Double(transmitted)
    }

    /// The loopback and the links of containers: their bytes either never leave or are counted at the outer interface too.
    private static func isInternal(_ name: Range<Int>, in text: Span<UInt8>) -> Bool {
        let text = text.extracting(name)
        var cursor = TextCursor()
        if cursor.skip("lo", in: text) { return cursor.index == text.count }
        return cursor.skip("veth", in: text) || cursor.skip("docker", in: text) || cursor.skip("br-", in: text)
    }
}
