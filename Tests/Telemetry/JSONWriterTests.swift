import Foundation
import Telemetry
import Testing

struct JSONWriterTests {
    @Test func `what is written is JSON that says the same`() throws {
        var writer = JSONWriter()
        writer.object { json in
            json.string("text", "quote \" slash \\ line\nbell\u{7} ü 🛰")
            json.integer("least", .min)
            json.number("ratio", 0.1)
            json.number("none", .nan)
            json.array("list") { json in
                json.bool(nil, true)
                json.object { $0.null("x") }
            }
            json.raw("raw", "[1,2]")
        }
        let parsed = try JSONSerialization.jsonObject(with: Data(writer.text.utf8)) as? [String: Any]
        #expect(parsed?["text"] as? String == "quote \" slash \\ line\nbell\u{7} ü 🛰")
        #expect(parsed?["least"] as? Int64 == .min)
        #expect(parsed?["ratio"] as? Double == 0.1)
        #expect(parsed?["none"] is NSNull)
        #expect((parsed?["list"] as? [Any])?.count == 2)
        #expect(parsed?["raw"] as? [Int] == [1, 2])
    }
}
