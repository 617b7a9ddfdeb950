import CollectorFixtures
import DocumentStores
import SQLiteDriver
import ServiceSupport
import Testing
import TimeSeriesStores

/// What only the embedded makes are about: their files.
@Suite struct EmbeddedFileTests {
    private let scratch = ScratchDirectory()

    @Test func `a directory that cannot be made is told by its path`() {
        scratch.write("file", [])
        let directory = scratch.path + "/file/store"
        #expect { try EmbeddedTimeSeriesStore(directory: directory) } throws: { error in
            let error = error as? StoreError
            return error?.reason == .notWritable && error?.path == directory
        }
        #expect { try EmbeddedDocumentStore(directory: directory) } throws: { ($0 as? StoreError)?.reason == .notWritable }
    }

    @Test func `a store that was emptied while its log is there is not begun anew`() throws {
        scratch.write("timeseries.sqlite", [])
        scratch.write("timeseries.sqlite-wal", [UInt8](repeating: 7, count: 4_152))
        #expect { try EmbeddedTimeSeriesStore(directory: scratch.path) } throws: { error in
            (error as? StoreError)?.reason == .damaged && "\(error)".contains("empty or missing")
        }
    }

    @Test func `a store of a newer collector is left alone`() throws {
        _ = try EmbeddedTimeSeriesStore(directory: scratch.path)
        let database = try Database(path: scratch.path + "/timeseries.sqlite")
        try database.execute("PRAGMA user_version=99")
        #expect { try EmbeddedTimeSeriesStore(directory: scratch.path) } throws: { ($0 as? StoreError)?.reason == .newerSchema }
    }

    @Test func `a store that others use is not opened with another schema, and not changed`() throws {
        _ = try EmbeddedTimeSeriesStore(directory: scratch.path)
        _ = try EmbeddedTimeSeriesStore(directory: scratch.path, schema: .asItIs)
        let database = try Database(path: scratch.path + "/timeseries.sqlite")
        for version in [1, 99] {
            try database.execute("PRAGMA user_version=\(version)")
            #expect { try EmbeddedTimeSeriesStore(directory: scratch.path, schema: .asItIs) } throws: { error in
                (error as? StoreError)?.reason == .newerSchema && "\(error)".contains("stop them first")
            }
            #expect(try database.integer("PRAGMA user_version") == Int64(version))
        }
        #expect { try EmbeddedDocumentStore(directory: scratch.path, schema: .asItIs) } throws: { ($0 as? StoreError)?.reason == .newerSchema }
    }

    @Test func `a file that is no database is damage, not an empty store`() {
        scratch.write("timeseries.sqlite", [UInt8](repeating: 0x41, count: 8_192))
        #expect { try EmbeddedTimeSeriesStore(directory: scratch.path) } throws: { ($0 as? StoreError)?.reason == .damaged }
    }

    @Test func `commits are synced to the disk and written ahead`() throws {
        let database = try EmbeddedDatabase.open(directory: scratch.path, file: "a.sqlite", migrations: ["CREATE TABLE t (a)"])
        #expect(try database.integer("PRAGMA synchronous") == 2)
        let mode = try database.prepare("PRAGMA journal_mode")
        #expect(try mode.step() && mode.text(0) == "wal")
    }

    @Test func `migrations go forward from where the file is`() throws {
        _ = try EmbeddedDatabase.open(directory: scratch.path, file: "a.sqlite", migrations: ["CREATE TABLE t (a)"])
        let database = try EmbeddedDatabase.open(
            directory: scratch.path, file: "a.sqlite", migrations: ["CREATE TABLE t (a)", "ALTER TABLE t ADD COLUMN b"])
        #expect(try database.integer("SELECT count(*) FROM pragma_table_info('t')") == 2)
        #expect(try database.integer("PRAGMA user_version") == 2)
    }
}
