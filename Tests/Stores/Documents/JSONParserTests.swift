import DocumentStores
import Foundation
import Testing

@Suite struct JSONParserTests {
    @Test func `a value survives being written and read`() throws {
        let value: JSONValue = [
            "null": nil, "yes": true, "big": 9_223_372_036_854_775_807, "small": -1.5e-7, "text": "\u{0}\"\\/\n🐢é", "list": [[], [:], [1, 2.5]],
        ]
        #expect(try JSONParser.parse(value.json) == value)
        #expect(try JSONDecoder().decode(JSONValue.self, from: JSONEncoder().encode(value)) == value)
    }

    @Test(arguments: [
        "", " ", "{", "[1,", "[1,]", "{\"a\"}", "{\"a\":1,}", "{a:1}", "01", "-", "1.", "1e", ".5", "+1", "1e999", "tru", "nul", "\"", "\"\u{1}\"",
        "\"\\x\"", "\"\\u12\"", "\"\\ud800\"", "\"\\udc00\\ud800\"", "1 2", "{}x", "'a'", "NaN",
    ])
    func `what is not JSON is refused`(text: String) {
        #expect(throws: JSONError.self) { try JSONParser.parse(text) }
    }

    @Test func `surrogate pairs are one character`() throws {
        #expect(try JSONParser.parse("\"\\ud83d\\udc22\"") == "🐢")
    }

    @Test func `depth, size and number of values are bounded`() {
        func reason(_ text: String) -> JSONError.Reason? {
            do throws(JSONError) { _ = try JSONParser.parse(text) } catch { return error.reason }
            return nil
        }
        #expect(reason(String(repeating: "[", count: 500_000)) == .tooDeep)
        #expect(reason(String(repeating: "{\"a\":", count: 100_000)) == .tooDeep)
        #expect(reason("[" + String(repeating: "1,", count: 300_000) + "1]") == .tooLarge)
        #expect(reason("\"" + String(repeating: "a", count: 2 << 20) + "\"") == .tooLarge)
    }

    @Test func `random bytes and damaged documents never trap`() {
        var random = SystemRandomNumberGenerator()
        let document = Array(#"{"type":"x","list":[1,2.5e3,true,null,"\u00e9\n"],"deep":{"a":{"b":[]}}}"#.utf8)
        for _ in 0..<20_000 {
            var bytes = document
            for _ in 0..<Int.random(in: 1...4, using: &random) { bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255) }
            _ = try? JSONParser.parse(bytes[...])
            _ = try? JSONParser.parse(bytes.prefix(Int.random(in: 0...bytes.count)))
        }
    }
}
