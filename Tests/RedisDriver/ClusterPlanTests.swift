import RedisDriver
import Testing

/// What is decided about a cluster, without one.
struct ClusterPlanTests {
    private func words(_ texts: String...) -> [[UInt8]] { texts.map { Array($0.utf8) } }
    private func node(_ port: Int) throws -> NodeAddress { try #require(NodeAddress(host: "10.0.0.1", port: port)) }

    private func range(_ first: Int64, _ last: Int64, _ host: RedisValue, _ port: Int64) -> RedisValue {
        let node: RedisValue = .array([host, .integer(port), .bytes(Array("id".utf8)), .array([])])
        return .array([.integer(first), .integer(last), node, .array([.null, .integer(1), .bytes([])])])
    }

    private func host(_ text: String) -> RedisValue { .bytes(Array(text.utf8)) }

    // MARK: Slots

    @Test(arguments: [
        ("", 0), ("123456789", 12_739), ("foo", 12_182), ("bar", 5_061), ("{user1000}.following", 3_443), ("{user1000}.followers", 3_443),
        ("foo{bar}{zap}", 5_061), ("foo{}{bar}", 8_363), ("foo{{bar}}zap", 4_015), ("a{bar", 15_394), ("a}{bar}", 5_061),
    ])
    func `a key's slot is that of its hash tag`(_ key: String, _ slot: Int) { #expect(KeySlot.of(Array(key.utf8)) == slot) }

    @Test func `a map is read from what a node says, its own address from who was asked`() throws {
        let answer = RedisValue.array([
            range(0, 5_460, .null, 7_001), range(5_461, 10_922, host("10.0.0.1"), 7_002), range(10_923, 16_382, host("fe80::1"), 7_003),
        ])
        let map = try SlotMap(slots: answer, toldBy: "asked")
        #expect(map.owner(of: 0)?.description == "asked:7001" && map.owner(of: 5_461)?.description == "10.0.0.1:7002")
        #expect(map.owner(of: 16_382)?.description == "[fe80::1]:7003" && map.owner(of: 16_383) == nil)
        #expect(map.primaries.count == 3 && !map.isComplete)
        #expect(try SlotMap(slots: .array([range(0, 16_383, host(""), 1)]), toldBy: "asked").isComplete)
    }

    @Test func `what is no map is refused`() {
        let wrong: [RedisValue] = [
            .null, .integer(1), .array([.null]), .array([.array([])]), .array([range(-1, 5, host("a"), 1)]), .array([range(5, 4, host("a"), 1)]),
            .array([range(0, 16_384, host("a"), 1)]), .array([range(0, 1, host("a"), 0)]), .array([range(0, 1, host("a"), 65_536)]),
            .array([range(0, 1, host("a b"), 1)]), .array([range(0, 1, host("?"), 1)]), .array([range(0, 1, host("a\u{0}"), 1)]),
            .array([range(0, 1, host(String(repeating: "a", count: 254)), 1)]), .array([range(0, 5, host("a"), 1), range(5, 6, host("b"), 1)]),
            .array((0..<1_001).map { range($0, $0, host("n\($0)"), 1) }),
        ]
        for answer in wrong { #expect(throws: RedisError.self) { try SlotMap(slots: answer, toldBy: "asked") } }
        #expect(throws: RedisError.self) { try SlotMap(slots: .array([range(0, 1, .null, 1)]), toldBy: nil) }
    }

    // MARK: Redirects

    @Test func `a refusal tells where to go, or is none that does`() throws {
        func redirect(_ answer: String) -> Redirect? { Redirect(RedisError(answer: answer, operation: "GET"), toldBy: "asked") }
        #expect(redirect("MOVED 3999 10.0.0.1:7002") == .moved(slot: 3_999, to: try node(7_002)))
        #expect(redirect("MOVED 3999 :7002") == .moved(slot: 3_999, to: try #require(NodeAddress(host: "asked", port: 7_002))))
        #expect(redirect("ASK 3999 fe80::1:7002") == .asked(try #require(NodeAddress(host: "fe80::1", port: 7_002))))
        #expect(redirect("TRYAGAIN Multiple keys request during rehashing of slot") == .again)
        for other in [
            "MOVED 16384 10.0.0.1:7002", "MOVED -1 10.0.0.1:7002", "MOVED 1 10.0.0.1:0", "MOVED 1 10.0.0.1", "MOVED 1 a b:7002", "MOVED 1 ?:7002",
            "MOVED", "ASK 1", "CLUSTERDOWN Hash slot not served", "ERR MOVED 1 10.0.0.1:7002",
        ] { #expect(redirect(other) == nil, "\(other)") }
    }

    @Test func `what a cluster says while it mends itself may succeed later, and keys of several slots never`() {
        for (answer, isTransient) in [("TRYAGAIN later", true), ("CLUSTERDOWN The cluster is down", true), ("CROSSSLOT Keys in request", false)] {
            #expect(RedisError(answer: answer, operation: "GET").isTransient == isTransient)
        }
    }

    // MARK: Pipelines

    private func halves() throws -> SlotMap {
        try SlotMap(slots: .array([range(0, 8_191, host("10.0.0.1"), 1), range(8_192, 16_383, host("10.0.0.1"), 2)]), toldBy: nil)
    }

    @Test func `commands go to the nodes that have their keys, many keys one by one, and answers come in order`() throws {
        // bar and 5,061 are the first node's, foo and 12,182 the other's.
        var plan = PipelinePlan([
            RedisCommand("SET", "foo", "1"), RedisCommand("MGET", "bar", "foo", "bar"), RedisCommand("PING"), RedisCommand("UNLINK", "foo", "bar"),
            RedisCommand("EVALSHA", "number", "1", "bar", "foo"), RedisCommand("RENAME", "foo", "bar"),
        ])
        let errands = plan.errands(by: try halves())
        let (one, other) = (try node(1), try node(2))
        #expect(
            errands[one]?.flatMap(\.commands) == [
                RedisCommand("MGET", "bar"), RedisCommand("MGET", "bar"), RedisCommand("PING"), RedisCommand("UNLINK", "bar"),
                RedisCommand("EVALSHA", "number", "1", "bar", "foo"),
            ])
        #expect(
            errands[other]?.flatMap(\.commands).dropLast() == [
                RedisCommand("SET", "foo", "1"), RedisCommand("MGET", "foo"), RedisCommand("UNLINK", "foo"),
            ])
        for (address, own) in errands {
            for errand in own {
                let answer: RedisValue =
                    switch errand.commands[0].name {
                    case "MGET": .array([.integer(Int64(address.port))])
                    case "UNLINK": .integer(1)
                    default: .status(errand.commands[0].name)
                    }
                #expect(plan.take(answer, for: errand.part, from: address.host, isLast: false) == nil)
            }
        }
        #expect(plan.errands(by: try halves()).isEmpty)
        #expect(
            plan.answers == [
                .status("SET"), .array([.integer(1), .integer(2), .integer(1)]), .status("PING"), .integer(2), .status("EVALSHA"), .status("RENAME"),
            ])
    }

    @Test func `what is sent on is asked there, in order, and what is refused stays so`() throws {
        var plan = PipelinePlan([RedisCommand("SET", "bar", "1"), RedisCommand("SET", "bar", "2"), RedisCommand("MGET", "bar", "foo")])
        let map = try halves()
        _ = plan.errands(by: map)
        let error = { (answer: String) in RedisValue.error(RedisError(answer: answer, operation: "SET")) }
        for part in 0..<2 { #expect(plan.take(error("ASK 5061 10.0.0.1:3"), for: part, from: "10.0.0.1", isLast: false) == .asked(try node(3))) }
        #expect(plan.take(error("MOVED 5061 :4"), for: 2, from: "10.0.0.1", isLast: false) == .moved(slot: 5_061, to: try node(4)))
        #expect(plan.take(error("WRONGTYPE no"), for: 3, from: "10.0.0.1", isLast: false) == nil)
        let next = plan.errands(by: map)
        #expect(
            next[try node(3)]?.map(\.commands) == [
                [RedisCommand("ASKING"), RedisCommand("SET", "bar", "1")], [RedisCommand("ASKING"), RedisCommand("SET", "bar", "2")],
            ])
        #expect(next[try node(4)]?.map(\.commands) == [[RedisCommand("MGET", "bar")]] && next.count == 2)
        // In the last round nobody is sent on.
        for part in 0..<3 { #expect(plan.take(error("TRYAGAIN later"), for: part, from: "10.0.0.1", isLast: true) == nil) }
        #expect(plan.errands(by: map).isEmpty)
        #expect(plan.answers.map { $0.error?.code } == ["TRYAGAIN", "TRYAGAIN", "TRYAGAIN"])
    }

    @Test func `what no node has is refused, and the rest goes on`() throws {
        let map = try SlotMap(slots: .array([range(0, 8_191, host("10.0.0.1"), 1)]), toldBy: nil)
        var plan = PipelinePlan([RedisCommand("GET", "foo"), RedisCommand("GET", "bar")])
        #expect(plan.errands(by: map).values.flatMap { $0 }.map(\.part) == [1])
        _ = plan.take(.null, for: 1, from: "10.0.0.1", isLast: false)
        #expect(plan.answers[0].error?.reason == .notReady && plan.answers[1] == .null)
    }

    @Test func `keys of several slots in one command are refused before they are sent`() throws {
        var plan = PipelinePlan([RedisCommand("EVAL", "return 1", "2", "foo", "bar"), RedisCommand("EVAL", "return 1", "99", "foo")])
        #expect(plan.errands(by: try halves()).values.flatMap { $0 }.map(\.part) == [1])
        #expect(plan.answers[0].error?.code == "CROSSSLOT")
    }
}
