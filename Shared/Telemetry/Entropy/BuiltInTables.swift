/// Tables that every reader knows, for columns too short to pay for one of their own. They were chosen, out of 400 of these shapes, as those
/// that together make columns of 30 ticks smallest. They are part of the format and never change.
enum BuiltInTables {
    static let count = 12

    static let tables: [FrequencyTable] = [
        // Falling from 0, a mean magnitude of about 0.12, both signs.
        FrequencyTable(hexadecimal: "96065858090901010101010101010101010101010101010101010101010101010101010101010101010101010101"),
        // Falling from 0, a mean magnitude of about 0.5, both signs.
        FrequencyTable(hexadecimal: "e003ab01ab01393913130606020201010101010101010101010101010101010101010101010101010101010101010101"),
        // Falling from 0, a mean magnitude of about 2, both signs.
        FrequencyTable(hexadecimal: "be01890189015b5b3d3d28281b1b12120c0c080805050404020202020101010101010101010101010101010101010101"),
        // Falling from 0, a mean magnitude of about 6, both signs.
        FrequencyTable(hexadecimal: "4243433a3a32322b2b24241f1f1b1b1717141411110e0e0c0c0b0b090908082b2b0404010101010101010101010101"),
        // A hill of 2.5 powers of two around 2^4, two values of five are 0, positive.
        FrequencyTable(
            hexadecimal: """
                fe02260121011d01190116011401120110010f010e010d010c010b010a010901630255023e01260114010901040101010101\
                010101010101010101010101
                """),
        // Falling from 0, a mean magnitude of about 24, zeros more often, both signs.
        FrequencyTable(hexadecimal: "3c1313131312121111101010100f0f0e0e0e0e0d0d0d0d0c0c0c0c0b0b0b0b7878636322220303010101010101010101010101"),
        // A hill of 4 powers of two around 2^10, two values of five are 0, positive.
        FrequencyTable(
            hexadecimal: """
                f502040103010301030103010301020102010201020102010201020102010201180120012901320138013c013c0138013201\
                29012001180110010a01060104010201010101010101010101010101010101010101
                """),
        // A hill of 1.5 powers of two around 2^7, both signs.
        FrequencyTable(
            hexadecimal: """
                1f01010101010101010101010101010101010101010101010101010101020222225050757575765050222209090202010101\
                0101010101010101010101
                """),
        // A hill of 1.5 powers of two around 2^10, both signs.
        FrequencyTable(
            hexadecimal: """
                1f010101010101010101010101010101010101010101010101010101010101010102020909222250506f7070705050222209\
                0902020101010101010101010101010101
                """),
        // A hill of 1.5 powers of two around 2^11, positive.
        FrequencyTable(
            hexadecimal: """
                1f010101010101010101010101010101010101010101010101010101010101010101010301120143019d0103d80105d90105\
                9d01034301120103010101010101010101010101010101
                """),
        // A hill of 2.5 powers of two around 2^14, positive.
        FrequencyTable(
            hexadecimal: """
                1f01010101010101010101010101010101010101010101010101010101010101010101020105010e011f013b015e027f037f\
                037f038001035e023b011f010e01050102010101010101010101010101010101
                """),
        // A hill of 4 powers of two around 2^18, both signs.
        FrequencyTable(
            hexadecimal: """
                1f01010101010101010101010101010101010101010101010101010101010101010101010102020303050509090d0d13131a\
                1a222229292a2a2a2a2a2b2b2b292922221a1a13130d0d090905050303020201010101010101010101
                """),
    ]
}
