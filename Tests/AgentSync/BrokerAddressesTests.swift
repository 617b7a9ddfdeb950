import MQTTDriver
import Testing

struct BrokerAddressesTests {
    @Test(arguments: [BrokerAddresses.Tried.ipv6, .unknown])
    func `when the address of IPv6 fails those of IPv4 are next, at once, and then all again`(first: BrokerAddresses.Tried) {
        var addresses = BrokerAddresses()
        for _ in 0..<2 {
            #expect(!addresses.areOnlyIPv4)
            #expect(addresses.failed(at: first, "refused") == .othersNext)
            #expect(addresses.areOnlyIPv4)
            #expect(addresses.failed(at: .ipv4, "not in time") == .failed("not in time"))
        }
    }

    @Test func `what has worked is tried first the next time`() {
        var addresses = BrokerAddresses()
        _ = addresses.failed(at: .ipv6, "refused")
        addresses.answered()
        #expect(addresses.areOnlyIPv4)
        #expect(addresses.failed(at: .ipv4, "refused") == .failed("refused"))
        #expect(!addresses.areOnlyIPv4)
    }

    @Test func `a name without an address of IPv4 fails for the reason of the one it has`() {
        var addresses = BrokerAddresses()
        _ = addresses.failed(at: .ipv6, "refused")
        #expect(addresses.failed(at: .unknown, "no address") == .failed("refused"))
    }

    @Test(arguments: [BrokerAddresses.Tried.ipv4, .nothing]) func `where there is no other address none is tried`(tried: BrokerAddresses.Tried) {
        var addresses = BrokerAddresses()
        #expect(addresses.failed(at: tried, "no") == .failed("no"))
        #expect(!addresses.areOnlyIPv4)
    }
}
