# Completion of farwatch-agent's command line for fish.
set -l commands run status sample certs check-config buffer
complete -c farwatch-agent -f
complete -c farwatch-agent -n "not __fish_seen_subcommand_from $commands" -a run -d "Run until SIGTERM"
complete -c farwatch-agent -n "not __fish_seen_subcommand_from $commands" -a status -d "What the running agent is doing"
complete -c farwatch-agent -n "not __fish_seen_subcommand_from $commands" -a sample -d "Take one sample now and print it"
complete -c farwatch-agent -n "not __fish_seen_subcommand_from $commands" -a check-config -d "Check the configuration"
complete -c farwatch-agent -n "not __fish_seen_subcommand_from $commands" -a buffer -d "Look into the buffer"
complete -c farwatch-agent -n "__fish_seen_subcommand_from buffer; and not __fish_seen_subcommand_from status verify export" -a "status verify export"
complete -c farwatch-agent -l config -r -F -d "The configuration"
complete -c farwatch-agent -l json -d "Output for programs"
complete -c farwatch-agent -n "__fish_seen_subcommand_from buffer" -l file -r -F -d "Another buffer"
complete -c farwatch-agent -n "__fish_seen_subcommand_from export" -l csv -d "A line a sample"
complete -c farwatch-agent -n "__fish_seen_subcommand_from export" -l output -r -F -d "Where to write"
complete -c farwatch-agent -n "__fish_seen_subcommand_from export" -l force -d "Replace a file that exists"
complete -c farwatch-agent -l version -d "Print the version"
complete -c farwatch-agent -l help -d "Print help"
complete -c farwatch-agent -n "not __fish_seen_subcommand_from $commands" -a certs -d "Look at certificates"
complete -c farwatch-agent -n "__fish_seen_subcommand_from certs" -F
complete -c farwatch-agent -n "__fish_seen_subcommand_from certs" -l at -r -d "As of another time"
complete -c farwatch-agent -n "__fish_seen_subcommand_from certs" -l trust -r -F -d "Further anchors"
complete -c farwatch-agent -n "__fish_seen_subcommand_from certs" -l crl -r -F -d "Revocation lists"
complete -c farwatch-agent -n "__fish_seen_subcommand_from certs" -l password-file -r -F -d "Passwords of PKCS#12 files"
complete -c farwatch-agent -n "__fish_seen_subcommand_from certs" -l profile -r -a "webpki device" -d "The rules"
