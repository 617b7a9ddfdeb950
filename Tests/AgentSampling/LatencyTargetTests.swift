import AgentSampling
import Testing

@Suite struct LatencyTargetTests {
    @Test(arguments: [
        ("tcp://broker.example.net:8883", "broker.example.net", LatencyTarget.Method.tcp(port: 8883)),
        ("tcp://192.0.2.7:1", "192.0.2.7", .tcp(port: 1)),
        ("tcp://[2001:db8::1]:65535", "2001:db8::1", .tcp(port: 65535)),
        ("icmp://gateway", "gateway", .icmp),
        ("icmp://[fe80::1%eth0]", "fe80::1%eth0", .icmp),
    ]) func `a target's host and method are read`(_ text: String, _ host: String, _ method: LatencyTarget.Method) throws {
        let target = try LatencyTarget(text)
        #expect(target.host == host)
        #expect(target.method == method)
        #expect(target.text == text)
    }

    @Test(arguments: [
        ("", SamplingError.Reason.unknownScheme), ("broker:8883", .unknownScheme), ("http://a:1", .unknownScheme), ("TCP://a:1", .unknownScheme),
        ("tcp://", .invalidHost), ("tcp://:80", .invalidHost), ("tcp://a b:80", .invalidHost), ("tcp://::1:80", .invalidHost),
        ("tcp://[::1:80", .invalidHost), ("tcp://[::1]80", .invalidHost), ("tcp://[a]:80", .invalidHost), ("icmp://-f", .invalidHost),
        ("icmp://a/b", .invalidHost), ("icmp://" + String(repeating: "a", count: 256), .invalidHost),
        ("tcp://a", .invalidPort), ("tcp://a:", .invalidPort), ("tcp://a:0", .invalidPort), ("tcp://a:65536", .invalidPort),
        ("tcp://a:99999999999999999999", .invalidPort), ("tcp://a:+1", .invalidPort), ("icmp://a:7", .unexpectedPort),
    ]) func `a malformed target is refused with its reason`(_ text: String, _ reason: SamplingError.Reason) {
        #expect {
            try LatencyTarget(text)
        } throws: { error in (error as? SamplingError)?.reason == reason && (error as? SamplingError)?.context == text }
    }
}
