/// What a migration changes in every partition or chunk of a table that may be large (`PartMigrator`).
enum PartChange: Sendable {
    /// They get an index.
    case index(PartIndex)
    /// What is compressed of them gets the order that `TimeTable` says, where it has that of before.
    case order(TimeTable)
}
