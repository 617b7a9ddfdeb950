/// Writes tokens with range asymmetric numeral systems (rANS: Duda, "Asymmetric numeral systems", arXiv:1311.2540), 32-bit states that give
/// off 16-bit words. It works from the last token to the first, so tokens are gathered first.
struct EntropyEncoder {
    /// The least a state may be between tokens.
    static let stateMin: UInt32 = 1 << 16
    /// Blocks of this many samples have four states, which keep a processor busy; smaller ones have one, which costs 4 bytes instead of 16.
    static let manyLanesSamplesMin = 4_096
    static let lanesMax = 4

    static func lanes(samples: Int) -> Int { samples >= manyLanesSamplesMin ? lanesMax : 1 }

    /// One column's tokens: where they stand among all, and how they are distributed.
    struct Run {
        let tokens: Range<Int>
        let table: FrequencyTable
    }

    /// The states, then the words: what `EntropyDecoder` reads.
    static func encode(_ runs: [Run], tokens: UnsafePointer<UInt8>, lanes: Int) -> (states: [UInt32], words: [UInt16]) {
        var states = [UInt32](repeating: stateMin, count: lanesMax)
        var words: [UInt16] = []
        words.reserveCapacity((runs.last?.tokens.upperBound ?? 0) / 4)
        states.withUnsafeMutableBufferPointer { states in
            for run in runs.reversed() { encode(run, tokens, lanes - 1, states, &words) }
        }
        words.reverse()
        return (Array(states[..<lanes]), words)
    }

    private static func encode(
        _ run: Run, _ tokens: UnsafePointer<UInt8>, _ laneMask: Int, _ states: UnsafeMutableBufferPointer<UInt32>, _ words: inout [UInt16]
    ) {
        run.table.frequencies.withUnsafeBufferPointer { frequencies in
            run.table.starts.withUnsafeBufferPointer { starts in
                var index = run.tokens.upperBound
                while index > run.tokens.lowerBound {
                    index &-= 1
                    let token = Int(tokens[index])
                    let lane = (index &- run.tokens.lowerBound) & laneMask
                    let frequency = UInt32(frequencies[token])
                    var state = states[lane]
                    // So that the state is below 2³² afterwards.
                    if UInt64(state) >= UInt64(frequency) << 22 {
                        words.append(UInt16(truncatingIfNeeded: state))
                        state &>>= 16
                    }
                    let (quotient, remainder) = state.quotientAndRemainder(dividingBy: frequency)
                    states[lane] = quotient &<< FrequencyTable.scaleBits &+ remainder &+ UInt32(starts[token])
                }
            }
        }
    }
}
