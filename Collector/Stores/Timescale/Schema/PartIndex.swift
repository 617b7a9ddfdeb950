/// An index that a table has got after it had rows: of every partition or chunk, built one by one (`IndexBuild`).
package struct PartIndex: Sendable {
    let table: TimeTable
    /// Ends the names of the indexes: of the table's own and of its parts'.
    let suffix: String
    /// From `USING` on.
    let definition: String

    var name: String { table.name + "_" + suffix }

    /// The name of a part's: 63 bytes are the server's bound, and parts' names are shorter.
    func name(ofPart part: String) -> String { part + "_" + suffix }
}
