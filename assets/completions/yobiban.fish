# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_yobiban_global_optspecs
    string join \n h/help V/version
end

function __fish_yobiban_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_yobiban_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_yobiban_using_subcommand
    set -l cmd (__fish_yobiban_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c yobiban -n "__fish_yobiban_needs_command" -s h -l help -d 'Print help'
complete -c yobiban -n "__fish_yobiban_needs_command" -s V -l version -d 'Print version'
complete -c yobiban -n "__fish_yobiban_needs_command" -f -a "demo" -d 'Run six simulated ward offices with a node each, and the hub, in one process'
complete -c yobiban -n "__fish_yobiban_needs_command" -f -a "node" -d 'Run the service of a device at an office: receive the feed and drive the boards'
complete -c yobiban -n "__fish_yobiban_needs_command" -f -a "goodbye" -d 'Show the last picture on a node\'s boards during shutdown'
complete -c yobiban -n "__fish_yobiban_needs_command" -f -a "hub" -d 'Run the server that shows all offices to remote visitors'
complete -c yobiban -n "__fish_yobiban_needs_command" -f -a "board" -d 'Draw one board as a picture, without hardware'
complete -c yobiban -n "__fish_yobiban_needs_command" -f -a "score" -d 'Evaluate the wait predictions of a recorded day'
complete -c yobiban -n "__fish_yobiban_needs_command" -f -a "replay" -d 'Publish a recorded day to a broker'
complete -c yobiban -n "__fish_yobiban_needs_command" -f -a "load" -d 'Load test: measure how many viewers a hub can serve'
complete -c yobiban -n "__fish_yobiban_needs_command" -f -a "check" -d 'Validate a configuration file and report its errors'
complete -c yobiban -n "__fish_yobiban_needs_command" -f -a "provision" -d 'Write the configurations and certificates of a whole city from one table'
complete -c yobiban -n "__fish_yobiban_needs_command" -f -a "doctor" -d 'Test what a node uses (outputs, cameras, connections, clock, storage) and suggest fixes'
complete -c yobiban -n "__fish_yobiban_needs_command" -f -a "camera" -d 'Read an existing board from camera pictures'
complete -c yobiban -n "__fish_yobiban_needs_command" -f -a "say" -d 'Speak a call into a WAV file or on a sound device'
complete -c yobiban -n "__fish_yobiban_needs_command" -f -a "dictionary" -d 'Build the dictionary for Japanese speech'
complete -c yobiban -n "__fish_yobiban_needs_command" -f -a "setup" -d 'At the start of a device made from the image: store the card\'s file, set up network and time'
complete -c yobiban -n "__fish_yobiban_needs_command" -f -a "config" -d 'Print a commented example with every key and its default'
complete -c yobiban -n "__fish_yobiban_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c yobiban -n "__fish_yobiban_using_subcommand demo" -l listen -d 'Address of the web pages; port 0: any free port [default: 127.0.0.1:8080, or any if in use]' -r
complete -c yobiban -n "__fish_yobiban_using_subcommand demo" -l mqtt -d 'A broker on this machine to use, such as 127.0.0.1:1883 [default: none is needed]' -r
complete -c yobiban -n "__fish_yobiban_using_subcommand demo" -l speed -d 'Seconds of the simulated day per second, 1 to 3600' -r
complete -c yobiban -n "__fish_yobiban_using_subcommand demo" -l out -d 'Folder for boards, node data and history [default: a temporary one]' -r -F
complete -c yobiban -n "__fish_yobiban_using_subcommand demo" -l for -d 'End after this time with a summary; without it, at a signal' -r
complete -c yobiban -n "__fish_yobiban_using_subcommand demo" -l seed -d 'The same seed simulates the same day' -r
complete -c yobiban -n "__fish_yobiban_using_subcommand demo" -s h -l help -d 'Print help'
complete -c yobiban -n "__fish_yobiban_using_subcommand node" -l config -d 'The configuration; see `yobiban config`' -r -F
complete -c yobiban -n "__fish_yobiban_using_subcommand node" -l setup -d 'Result of `yobiban setup`: until numbers arrive, boards show the device\'s state and errors in the card\'s file' -r -F
complete -c yobiban -n "__fish_yobiban_using_subcommand node" -s h -l help -d 'Print help'
complete -c yobiban -n "__fish_yobiban_using_subcommand goodbye" -l config -d 'The configuration; see `yobiban config`' -r -F
complete -c yobiban -n "__fish_yobiban_using_subcommand goodbye" -s h -l help -d 'Print help'
complete -c yobiban -n "__fish_yobiban_using_subcommand hub" -l config -d 'The configuration; see `yobiban config`' -r -F
complete -c yobiban -n "__fish_yobiban_using_subcommand hub" -s h -l help -d 'Print help'
complete -c yobiban -n "__fish_yobiban_using_subcommand board" -l config -d 'A node\'s configuration' -r -F
complete -c yobiban -n "__fish_yobiban_using_subcommand board" -l state -d 'JSON object from queue id to feed payload' -r -F
complete -c yobiban -n "__fish_yobiban_using_subcommand board" -l at -d 'The time to draw the board for, with offset [default: the newest in the state]' -r
complete -c yobiban -n "__fish_yobiban_using_subcommand board" -l board -d 'Which board [default: the first]' -r
complete -c yobiban -n "__fish_yobiban_using_subcommand board" -l out -d 'The picture to write' -r -F
complete -c yobiban -n "__fish_yobiban_using_subcommand board" -s h -l help -d 'Print help'
complete -c yobiban -n "__fish_yobiban_using_subcommand score" -s h -l help -d 'Print help'
complete -c yobiban -n "__fish_yobiban_using_subcommand replay" -l mqtt -d 'The broker, such as mqtt://127.0.0.1:1883 or mqtts://user@broker.example.jp' -r
complete -c yobiban -n "__fish_yobiban_using_subcommand replay" -l password-file -d 'File with the user\'s password; a password in the address is visible to every user of the machine' -r -F
complete -c yobiban -n "__fish_yobiban_using_subcommand replay" -l speed -d 'Seconds of the recording per second' -r
complete -c yobiban -n "__fish_yobiban_using_subcommand replay" -l office -d 'Only this office' -r
complete -c yobiban -n "__fish_yobiban_using_subcommand replay" -l keep-times -d 'Publish times, days and seq as recorded instead of moving them to now'
complete -c yobiban -n "__fish_yobiban_using_subcommand replay" -s h -l help -d 'Print help'
complete -c yobiban -n "__fish_yobiban_using_subcommand load" -l events -d 'The event stream that viewers read; the hub must not be in production' -r
complete -c yobiban -n "__fish_yobiban_using_subcommand load" -l mqtt -d 'The hub\'s broker; calls are published to it as nodes do' -r
complete -c yobiban -n "__fish_yobiban_using_subcommand load" -l post -d 'Instead of the broker: URL to post each call to, for servers that forward posted calls' -r
complete -c yobiban -n "__fish_yobiban_using_subcommand load" -l viewers -d 'Number of viewers' -r
complete -c yobiban -n "__fish_yobiban_using_subcommand load" -l calls -d 'Number of calls, 1 to 1000000' -r
complete -c yobiban -n "__fish_yobiban_using_subcommand load" -l every -d 'Time between calls' -r
complete -c yobiban -n "__fish_yobiban_using_subcommand load" -l offices -d 'Number of offices that call in turn' -r
complete -c yobiban -n "__fish_yobiban_using_subcommand load" -l pid -d 'The server\'s process on this machine, to measure its memory and processor time' -r
complete -c yobiban -n "__fish_yobiban_using_subcommand load" -s h -l help -d 'Print help'
complete -c yobiban -n "__fish_yobiban_using_subcommand check" -s h -l help -d 'Print help'
complete -c yobiban -n "__fish_yobiban_using_subcommand provision" -l template -d 'A node\'s configuration with the settings that all nodes share [default: one monitor]' -r -F
complete -c yobiban -n "__fish_yobiban_using_subcommand provision" -l out -d 'The folder to write; existing keys and certificates are kept, also those of the authority' -r -F
complete -c yobiban -n "__fish_yobiban_using_subcommand provision" -l renew -d 'Create all keys and certificates again, except those of the authority'
complete -c yobiban -n "__fish_yobiban_using_subcommand provision" -s h -l help -d 'Print help'
complete -c yobiban -n "__fish_yobiban_using_subcommand doctor" -l config -d 'The configuration; see `yobiban config`' -r -F
complete -c yobiban -n "__fish_yobiban_using_subcommand doctor" -s h -l help -d 'Print help'
complete -c yobiban -n "__fish_yobiban_using_subcommand camera; and not __fish_seen_subcommand_from read calibrate help" -s h -l help -d 'Print help'
complete -c yobiban -n "__fish_yobiban_using_subcommand camera; and not __fish_seen_subcommand_from read calibrate help" -f -a "read" -d 'Read a picture and print its fields as JSON, or evaluate a folder of pictures'
complete -c yobiban -n "__fish_yobiban_using_subcommand camera; and not __fish_seen_subcommand_from read calibrate help" -f -a "calibrate" -d 'Find the board and its digits in a picture, and print the block for the configuration'
complete -c yobiban -n "__fish_yobiban_using_subcommand camera; and not __fish_seen_subcommand_from read calibrate help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c yobiban -n "__fish_yobiban_using_subcommand camera; and __fish_seen_subcommand_from read" -l config -d 'A node\'s configuration' -r -F
complete -c yobiban -n "__fish_yobiban_using_subcommand camera; and __fish_seen_subcommand_from read" -l camera -d 'Which camera of the configuration [default: the first]' -r
complete -c yobiban -n "__fish_yobiban_using_subcommand camera; and __fish_seen_subcommand_from read" -l truth -d 'A folder of pictures NAME.jpg with their correct readings in NAME.json' -r -F
complete -c yobiban -n "__fish_yobiban_using_subcommand camera; and __fish_seen_subcommand_from read" -s h -l help -d 'Print help'
complete -c yobiban -n "__fish_yobiban_using_subcommand camera; and __fish_seen_subcommand_from calibrate" -l out -d 'Where to write a picture of the board with what was found' -r -F
complete -c yobiban -n "__fish_yobiban_using_subcommand camera; and __fish_seen_subcommand_from calibrate" -s h -l help -d 'Print help'
complete -c yobiban -n "__fish_yobiban_using_subcommand camera; and __fish_seen_subcommand_from help" -f -a "read" -d 'Read a picture and print its fields as JSON, or evaluate a folder of pictures'
complete -c yobiban -n "__fish_yobiban_using_subcommand camera; and __fish_seen_subcommand_from help" -f -a "calibrate" -d 'Find the board and its digits in a picture, and print the block for the configuration'
complete -c yobiban -n "__fish_yobiban_using_subcommand camera; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c yobiban -n "__fish_yobiban_using_subcommand say" -l counter -d 'The counter to go to' -r
complete -c yobiban -n "__fish_yobiban_using_subcommand say" -l lang -d 'ja, en, zh, ko, vi or pt [default: those of the configuration, or ja]' -r
complete -c yobiban -n "__fish_yobiban_using_subcommand say" -l queue -d 'The queue of the ticket, by its id in the configuration [default: the first]' -r
complete -c yobiban -n "__fish_yobiban_using_subcommand say" -l config -d 'A node\'s configuration, for its readings, texts and dictionary' -r -F
complete -c yobiban -n "__fish_yobiban_using_subcommand say" -l dictionary -d 'Folder of the dictionary [default: the one in the configuration]' -r -F
complete -c yobiban -n "__fish_yobiban_using_subcommand say" -l out -d 'The file to write' -r -F
complete -c yobiban -n "__fish_yobiban_using_subcommand say" -l device -d 'The sound device to play it on, as `aplay -L` names it' -r
complete -c yobiban -n "__fish_yobiban_using_subcommand say" -l recall -d 'Announce it as a repeated call'
complete -c yobiban -n "__fish_yobiban_using_subcommand say" -l short -d 'Short announcement, as when many calls wait'
complete -c yobiban -n "__fish_yobiban_using_subcommand say" -l no-chime -d 'No chime before the announcement'
complete -c yobiban -n "__fish_yobiban_using_subcommand say" -s h -l help -d 'Print help'
complete -c yobiban -n "__fish_yobiban_using_subcommand dictionary" -l out -d 'The folder to write' -r -F
complete -c yobiban -n "__fish_yobiban_using_subcommand dictionary" -s h -l help -d 'Print help'
complete -c yobiban -n "__fish_yobiban_using_subcommand setup" -l boot -d 'The card\'s partition with yobiban.toml' -r -F
complete -c yobiban -n "__fish_yobiban_using_subcommand setup" -l data -d 'The data partition' -r -F
complete -c yobiban -n "__fish_yobiban_using_subcommand setup" -l run -d 'Folder for files that last until the next start' -r -F
complete -c yobiban -n "__fish_yobiban_using_subcommand setup" -l wipe -d 'Instead of the setup: overwrite the free space of the card\'s partition with zeros; nothing else may write to it meanwhile' -r -F
complete -c yobiban -n "__fish_yobiban_using_subcommand setup" -s h -l help -d 'Print help'
complete -c yobiban -n "__fish_yobiban_using_subcommand config" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c yobiban -n "__fish_yobiban_using_subcommand help; and not __fish_seen_subcommand_from demo node goodbye hub board score replay load check provision doctor camera say dictionary setup config help" -f -a "demo" -d 'Run six simulated ward offices with a node each, and the hub, in one process'
complete -c yobiban -n "__fish_yobiban_using_subcommand help; and not __fish_seen_subcommand_from demo node goodbye hub board score replay load check provision doctor camera say dictionary setup config help" -f -a "node" -d 'Run the service of a device at an office: receive the feed and drive the boards'
complete -c yobiban -n "__fish_yobiban_using_subcommand help; and not __fish_seen_subcommand_from demo node goodbye hub board score replay load check provision doctor camera say dictionary setup config help" -f -a "goodbye" -d 'Show the last picture on a node\'s boards during shutdown'
complete -c yobiban -n "__fish_yobiban_using_subcommand help; and not __fish_seen_subcommand_from demo node goodbye hub board score replay load check provision doctor camera say dictionary setup config help" -f -a "hub" -d 'Run the server that shows all offices to remote visitors'
complete -c yobiban -n "__fish_yobiban_using_subcommand help; and not __fish_seen_subcommand_from demo node goodbye hub board score replay load check provision doctor camera say dictionary setup config help" -f -a "board" -d 'Draw one board as a picture, without hardware'
complete -c yobiban -n "__fish_yobiban_using_subcommand help; and not __fish_seen_subcommand_from demo node goodbye hub board score replay load check provision doctor camera say dictionary setup config help" -f -a "score" -d 'Evaluate the wait predictions of a recorded day'
complete -c yobiban -n "__fish_yobiban_using_subcommand help; and not __fish_seen_subcommand_from demo node goodbye hub board score replay load check provision doctor camera say dictionary setup config help" -f -a "replay" -d 'Publish a recorded day to a broker'
complete -c yobiban -n "__fish_yobiban_using_subcommand help; and not __fish_seen_subcommand_from demo node goodbye hub board score replay load check provision doctor camera say dictionary setup config help" -f -a "load" -d 'Load test: measure how many viewers a hub can serve'
complete -c yobiban -n "__fish_yobiban_using_subcommand help; and not __fish_seen_subcommand_from demo node goodbye hub board score replay load check provision doctor camera say dictionary setup config help" -f -a "check" -d 'Validate a configuration file and report its errors'
complete -c yobiban -n "__fish_yobiban_using_subcommand help; and not __fish_seen_subcommand_from demo node goodbye hub board score replay load check provision doctor camera say dictionary setup config help" -f -a "provision" -d 'Write the configurations and certificates of a whole city from one table'
complete -c yobiban -n "__fish_yobiban_using_subcommand help; and not __fish_seen_subcommand_from demo node goodbye hub board score replay load check provision doctor camera say dictionary setup config help" -f -a "doctor" -d 'Test what a node uses (outputs, cameras, connections, clock, storage) and suggest fixes'
complete -c yobiban -n "__fish_yobiban_using_subcommand help; and not __fish_seen_subcommand_from demo node goodbye hub board score replay load check provision doctor camera say dictionary setup config help" -f -a "camera" -d 'Read an existing board from camera pictures'
complete -c yobiban -n "__fish_yobiban_using_subcommand help; and not __fish_seen_subcommand_from demo node goodbye hub board score replay load check provision doctor camera say dictionary setup config help" -f -a "say" -d 'Speak a call into a WAV file or on a sound device'
complete -c yobiban -n "__fish_yobiban_using_subcommand help; and not __fish_seen_subcommand_from demo node goodbye hub board score replay load check provision doctor camera say dictionary setup config help" -f -a "dictionary" -d 'Build the dictionary for Japanese speech'
complete -c yobiban -n "__fish_yobiban_using_subcommand help; and not __fish_seen_subcommand_from demo node goodbye hub board score replay load check provision doctor camera say dictionary setup config help" -f -a "setup" -d 'At the start of a device made from the image: store the card\'s file, set up network and time'
complete -c yobiban -n "__fish_yobiban_using_subcommand help; and not __fish_seen_subcommand_from demo node goodbye hub board score replay load check provision doctor camera say dictionary setup config help" -f -a "config" -d 'Print a commented example with every key and its default'
complete -c yobiban -n "__fish_yobiban_using_subcommand help; and not __fish_seen_subcommand_from demo node goodbye hub board score replay load check provision doctor camera say dictionary setup config help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c yobiban -n "__fish_yobiban_using_subcommand help; and __fish_seen_subcommand_from camera" -f -a "read" -d 'Read a picture and print its fields as JSON, or evaluate a folder of pictures'
complete -c yobiban -n "__fish_yobiban_using_subcommand help; and __fish_seen_subcommand_from camera" -f -a "calibrate" -d 'Find the board and its digits in a picture, and print the block for the configuration'
