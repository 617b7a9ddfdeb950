// Whatever is read as a block can be written and comes back the same to the bit, in bounded memory; everything else is a typed error.

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ size: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: data, count: size))
    guard let block = try? Block(decoding: bytes[...]) else { return 0 }
    guard let header = try? BlockHeader(peeking: bytes[...]), header.samples == block.sampleCount, header.ticks == block.timestamps.count,
        header.oldest == block.timestamps.min(), header.newest == block.timestamps.max(), header.ticks * header.columns <= Block.samplesMax
    else { fatalError("the header says otherwise") }
    guard let again = try? Block(decoding: block.encoded()[...]) else { fatalError("a block does not come back") }
    guard again.timestamps == block.timestamps, again.columns.count == block.columns.count else { fatalError("a block changed") }
    for (one, other) in zip(again.columns, block.columns) {
        guard one.series == other.series, one.presence == other.presence, one.values.map(\.bitPattern) == other.values.map(\.bitPattern) else {
            fatalError("a column changed")
        }
    }
    return 0
}
