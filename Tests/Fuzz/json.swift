// The collector's JSON: a value or a typed error, whatever a device sends.

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ size: Int) -> CInt {
    _ = try? JSONParser.parse(Array(UnsafeBufferPointer(start: data, count: size))[...])
    return 0
}
