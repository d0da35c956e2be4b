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
complete -c yobiban -n "__fish_yobiban_needs_command" -f -a "demo" -d 'Six simulated ward offices, a node for each, a broker and the hub, in one process'
complete -c yobiban -n "__fish_yobiban_needs_command" -f -a "node" -d 'The box at an office: from the feed to its boards'
complete -c yobiban -n "__fish_yobiban_needs_command" -f -a "goodbye" -d 'The last picture on a node\'s boards while the machine switches off'
complete -c yobiban -n "__fish_yobiban_needs_command" -f -a "hub" -d 'The server that shows all offices to remote viewers'
complete -c yobiban -n "__fish_yobiban_needs_command" -f -a "board" -d 'Draw one board to a picture, without hardware'
complete -c yobiban -n "__fish_yobiban_needs_command" -f -a "score" -d 'Tell how good the wait ranges of a recorded day are'
complete -c yobiban -n "__fish_yobiban_needs_command" -f -a "replay" -d 'Publish a recorded day to a broker'
complete -c yobiban -n "__fish_yobiban_needs_command" -f -a "load" -d 'Try how many viewers a hub bears'
complete -c yobiban -n "__fish_yobiban_needs_command" -f -a "check" -d 'Say what is wrong with a configuration file'
complete -c yobiban -n "__fish_yobiban_needs_command" -f -a "provision" -d 'Write the configurations and certificates of a whole city from one table'
complete -c yobiban -n "__fish_yobiban_needs_command" -f -a "doctor" -d 'Look at what a node would use, and say what to do about what is wrong'
complete -c yobiban -n "__fish_yobiban_needs_command" -f -a "camera" -d 'Read an old board in pictures of a camera'
complete -c yobiban -n "__fish_yobiban_needs_command" -f -a "say" -d 'Speak a call into a WAV file, or to a sound device'
complete -c yobiban -n "__fish_yobiban_needs_command" -f -a "dictionary" -d 'Build the dictionary that Japanese speech needs'
complete -c yobiban -n "__fish_yobiban_needs_command" -f -a "setup" -d 'At the start of a box made from the image: take over the card\'s file, prepare network and time'
complete -c yobiban -n "__fish_yobiban_needs_command" -f -a "config" -d 'Print a commented example with every key and its default'
complete -c yobiban -n "__fish_yobiban_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c yobiban -n "__fish_yobiban_using_subcommand demo" -l listen -d 'Address of the pages; port 0 is any [default: 127.0.0.1:8080, or any port where it is taken]' -r
complete -c yobiban -n "__fish_yobiban_using_subcommand demo" -l mqtt -d 'Address of the broker; port 0 is any' -r
complete -c yobiban -n "__fish_yobiban_using_subcommand demo" -l speed -d 'How many seconds of the simulated day pass in one, 1 to 3600' -r
complete -c yobiban -n "__fish_yobiban_using_subcommand demo" -l out -d 'Folder for boards, stores and history [default: one that is removed at the end]' -r -F
complete -c yobiban -n "__fish_yobiban_using_subcommand demo" -l for -d 'Ends after this long with a summary; without it, at a signal' -r
complete -c yobiban -n "__fish_yobiban_using_subcommand demo" -l seed -d 'The same seed simulates the same day' -r
complete -c yobiban -n "__fish_yobiban_using_subcommand demo" -s h -l help -d 'Print help'
complete -c yobiban -n "__fish_yobiban_using_subcommand node" -l config -d 'Its configuration; see `yobiban config`' -r -F
complete -c yobiban -n "__fish_yobiban_using_subcommand node" -l setup -d 'What `yobiban setup` left: boards say how the box is doing until there are numbers, and what is wrong with the card\'s file' -r -F
complete -c yobiban -n "__fish_yobiban_using_subcommand node" -s h -l help -d 'Print help'
complete -c yobiban -n "__fish_yobiban_using_subcommand goodbye" -l config -d 'Its configuration; see `yobiban config`' -r -F
complete -c yobiban -n "__fish_yobiban_using_subcommand goodbye" -s h -l help -d 'Print help'
complete -c yobiban -n "__fish_yobiban_using_subcommand hub" -l config -d 'Its configuration; see `yobiban config`' -r -F
complete -c yobiban -n "__fish_yobiban_using_subcommand hub" -s h -l help -d 'Print help'
complete -c yobiban -n "__fish_yobiban_using_subcommand board" -l config -d 'A node\'s configuration' -r -F
complete -c yobiban -n "__fish_yobiban_using_subcommand board" -l state -d 'JSON object from queue id to feed payload' -r -F
complete -c yobiban -n "__fish_yobiban_using_subcommand board" -l at -d 'The moment it is drawn for, with offset [default: the newest in the state]' -r
complete -c yobiban -n "__fish_yobiban_using_subcommand board" -l board -d 'Which board [default: the first]' -r
complete -c yobiban -n "__fish_yobiban_using_subcommand board" -l out -d 'The picture to write' -r -F
complete -c yobiban -n "__fish_yobiban_using_subcommand board" -s h -l help -d 'Print help'
complete -c yobiban -n "__fish_yobiban_using_subcommand score" -s h -l help -d 'Print help'
complete -c yobiban -n "__fish_yobiban_using_subcommand replay" -l mqtt -d 'The broker, such as mqtt://127.0.0.1:1883 or mqtts://user@broker.example.jp' -r
complete -c yobiban -n "__fish_yobiban_using_subcommand replay" -l password-file -d 'File with the user\'s password: what stands in an address can be read by everybody on the machine' -r -F
complete -c yobiban -n "__fish_yobiban_using_subcommand replay" -l speed -d 'How many seconds of the recording pass in one' -r
complete -c yobiban -n "__fish_yobiban_using_subcommand replay" -l office -d 'Only this office' -r
complete -c yobiban -n "__fish_yobiban_using_subcommand replay" -l keep-times -d 'Publish times, days and seq as recorded instead of moving them to now'
complete -c yobiban -n "__fish_yobiban_using_subcommand replay" -s h -l help -d 'Print help'
complete -c yobiban -n "__fish_yobiban_using_subcommand load" -l events -d 'The events that viewers follow; the hub must not be in service' -r
complete -c yobiban -n "__fish_yobiban_using_subcommand load" -l mqtt -d 'The hub\'s broker: calls are reported to it as nodes do' -r
complete -c yobiban -n "__fish_yobiban_using_subcommand load" -l post -d 'Instead, where to post each call, for servers that send on what is posted' -r
complete -c yobiban -n "__fish_yobiban_using_subcommand load" -l viewers -d 'How many viewers' -r
complete -c yobiban -n "__fish_yobiban_using_subcommand load" -l calls -d 'How many calls, 1 to 1000000' -r
complete -c yobiban -n "__fish_yobiban_using_subcommand load" -l every -d 'From one call to the next' -r
complete -c yobiban -n "__fish_yobiban_using_subcommand load" -l offices -d 'How many offices call in turn' -r
complete -c yobiban -n "__fish_yobiban_using_subcommand load" -l pid -d 'The server\'s process on this machine, for its memory and processor time' -r
complete -c yobiban -n "__fish_yobiban_using_subcommand load" -s h -l help -d 'Print help'
complete -c yobiban -n "__fish_yobiban_using_subcommand check" -s h -l help -d 'Print help'
complete -c yobiban -n "__fish_yobiban_using_subcommand provision" -l template -d 'A node\'s configuration with what all have in common [default: one monitor]' -r -F
complete -c yobiban -n "__fish_yobiban_using_subcommand provision" -l out -d 'The folder to write; the authority, keys and certificates that are there are kept' -r -F
complete -c yobiban -n "__fish_yobiban_using_subcommand provision" -l renew -d 'Make all keys and certificates anew, except those of the authority'
complete -c yobiban -n "__fish_yobiban_using_subcommand provision" -s h -l help -d 'Print help'
complete -c yobiban -n "__fish_yobiban_using_subcommand doctor" -l config -d 'Its configuration; see `yobiban config`' -r -F
complete -c yobiban -n "__fish_yobiban_using_subcommand doctor" -s h -l help -d 'Print help'
complete -c yobiban -n "__fish_yobiban_using_subcommand camera; and not __fish_seen_subcommand_from read calibrate help" -s h -l help -d 'Print help'
complete -c yobiban -n "__fish_yobiban_using_subcommand camera; and not __fish_seen_subcommand_from read calibrate help" -f -a "read" -d 'Read a picture and print its fields as JSON, or score a folder of pictures'
complete -c yobiban -n "__fish_yobiban_using_subcommand camera; and not __fish_seen_subcommand_from read calibrate help" -f -a "calibrate" -d 'Find the board and its digits in a picture, and print the block for the configuration'
complete -c yobiban -n "__fish_yobiban_using_subcommand camera; and not __fish_seen_subcommand_from read calibrate help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c yobiban -n "__fish_yobiban_using_subcommand camera; and __fish_seen_subcommand_from read" -l config -d 'A node\'s configuration' -r -F
complete -c yobiban -n "__fish_yobiban_using_subcommand camera; and __fish_seen_subcommand_from read" -l camera -d 'Which camera of it [default: the first]' -r
complete -c yobiban -n "__fish_yobiban_using_subcommand camera; and __fish_seen_subcommand_from read" -l truth -d 'A folder of NAME.jpg with NAME.json that says what is true' -r -F
complete -c yobiban -n "__fish_yobiban_using_subcommand camera; and __fish_seen_subcommand_from read" -s h -l help -d 'Print help'
complete -c yobiban -n "__fish_yobiban_using_subcommand camera; and __fish_seen_subcommand_from calibrate" -l out -d 'Where to draw what was found, on the board alone' -r -F
complete -c yobiban -n "__fish_yobiban_using_subcommand camera; and __fish_seen_subcommand_from calibrate" -s h -l help -d 'Print help'
complete -c yobiban -n "__fish_yobiban_using_subcommand camera; and __fish_seen_subcommand_from help" -f -a "read" -d 'Read a picture and print its fields as JSON, or score a folder of pictures'
complete -c yobiban -n "__fish_yobiban_using_subcommand camera; and __fish_seen_subcommand_from help" -f -a "calibrate" -d 'Find the board and its digits in a picture, and print the block for the configuration'
complete -c yobiban -n "__fish_yobiban_using_subcommand camera; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c yobiban -n "__fish_yobiban_using_subcommand say" -l counter -d 'The counter to go to' -r
complete -c yobiban -n "__fish_yobiban_using_subcommand say" -l lang -d 'ja, en, zh, ko, vi or pt [default: those of the configuration, or ja]' -r
complete -c yobiban -n "__fish_yobiban_using_subcommand say" -l queue -d 'The queue it is called in, by its id in the configuration [default: the first]' -r
complete -c yobiban -n "__fish_yobiban_using_subcommand say" -l config -d 'A node\'s configuration, for its readings, texts and dictionary' -r -F
complete -c yobiban -n "__fish_yobiban_using_subcommand say" -l dictionary -d 'Folder of the dictionary [default: that of the configuration]' -r -F
complete -c yobiban -n "__fish_yobiban_using_subcommand say" -l out -d 'The file to write' -r -F
complete -c yobiban -n "__fish_yobiban_using_subcommand say" -l device -d 'The sound device to play it on, as `aplay -L` names it' -r
complete -c yobiban -n "__fish_yobiban_using_subcommand say" -l recall -d 'As it is said when it is called again'
complete -c yobiban -n "__fish_yobiban_using_subcommand say" -l short -d 'In few words, as when many calls wait'
complete -c yobiban -n "__fish_yobiban_using_subcommand say" -l no-chime -d 'Without the chime before it'
complete -c yobiban -n "__fish_yobiban_using_subcommand say" -s h -l help -d 'Print help'
complete -c yobiban -n "__fish_yobiban_using_subcommand dictionary" -l out -d 'The folder to write' -r -F
complete -c yobiban -n "__fish_yobiban_using_subcommand dictionary" -s h -l help -d 'Print help'
complete -c yobiban -n "__fish_yobiban_using_subcommand setup" -l boot -d 'The card\'s partition with yobiban.toml' -r -F
complete -c yobiban -n "__fish_yobiban_using_subcommand setup" -l data -d 'The data partition' -r -F
complete -c yobiban -n "__fish_yobiban_using_subcommand setup" -l run -d 'Where files of one start go' -r -F
complete -c yobiban -n "__fish_yobiban_using_subcommand setup" -l wipe -d 'Instead of all that: overwrite what is free on the card\'s partition, which nobody may be writing to, with zeros' -r -F
complete -c yobiban -n "__fish_yobiban_using_subcommand setup" -s h -l help -d 'Print help'
complete -c yobiban -n "__fish_yobiban_using_subcommand config" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c yobiban -n "__fish_yobiban_using_subcommand help; and not __fish_seen_subcommand_from demo node goodbye hub board score replay load check provision doctor camera say dictionary setup config help" -f -a "demo" -d 'Six simulated ward offices, a node for each, a broker and the hub, in one process'
complete -c yobiban -n "__fish_yobiban_using_subcommand help; and not __fish_seen_subcommand_from demo node goodbye hub board score replay load check provision doctor camera say dictionary setup config help" -f -a "node" -d 'The box at an office: from the feed to its boards'
complete -c yobiban -n "__fish_yobiban_using_subcommand help; and not __fish_seen_subcommand_from demo node goodbye hub board score replay load check provision doctor camera say dictionary setup config help" -f -a "goodbye" -d 'The last picture on a node\'s boards while the machine switches off'
complete -c yobiban -n "__fish_yobiban_using_subcommand help; and not __fish_seen_subcommand_from demo node goodbye hub board score replay load check provision doctor camera say dictionary setup config help" -f -a "hub" -d 'The server that shows all offices to remote viewers'
complete -c yobiban -n "__fish_yobiban_using_subcommand help; and not __fish_seen_subcommand_from demo node goodbye hub board score replay load check provision doctor camera say dictionary setup config help" -f -a "board" -d 'Draw one board to a picture, without hardware'
complete -c yobiban -n "__fish_yobiban_using_subcommand help; and not __fish_seen_subcommand_from demo node goodbye hub board score replay load check provision doctor camera say dictionary setup config help" -f -a "score" -d 'Tell how good the wait ranges of a recorded day are'
complete -c yobiban -n "__fish_yobiban_using_subcommand help; and not __fish_seen_subcommand_from demo node goodbye hub board score replay load check provision doctor camera say dictionary setup config help" -f -a "replay" -d 'Publish a recorded day to a broker'
complete -c yobiban -n "__fish_yobiban_using_subcommand help; and not __fish_seen_subcommand_from demo node goodbye hub board score replay load check provision doctor camera say dictionary setup config help" -f -a "load" -d 'Try how many viewers a hub bears'
complete -c yobiban -n "__fish_yobiban_using_subcommand help; and not __fish_seen_subcommand_from demo node goodbye hub board score replay load check provision doctor camera say dictionary setup config help" -f -a "check" -d 'Say what is wrong with a configuration file'
complete -c yobiban -n "__fish_yobiban_using_subcommand help; and not __fish_seen_subcommand_from demo node goodbye hub board score replay load check provision doctor camera say dictionary setup config help" -f -a "provision" -d 'Write the configurations and certificates of a whole city from one table'
complete -c yobiban -n "__fish_yobiban_using_subcommand help; and not __fish_seen_subcommand_from demo node goodbye hub board score replay load check provision doctor camera say dictionary setup config help" -f -a "doctor" -d 'Look at what a node would use, and say what to do about what is wrong'
complete -c yobiban -n "__fish_yobiban_using_subcommand help; and not __fish_seen_subcommand_from demo node goodbye hub board score replay load check provision doctor camera say dictionary setup config help" -f -a "camera" -d 'Read an old board in pictures of a camera'
complete -c yobiban -n "__fish_yobiban_using_subcommand help; and not __fish_seen_subcommand_from demo node goodbye hub board score replay load check provision doctor camera say dictionary setup config help" -f -a "say" -d 'Speak a call into a WAV file, or to a sound device'
complete -c yobiban -n "__fish_yobiban_using_subcommand help; and not __fish_seen_subcommand_from demo node goodbye hub board score replay load check provision doctor camera say dictionary setup config help" -f -a "dictionary" -d 'Build the dictionary that Japanese speech needs'
complete -c yobiban -n "__fish_yobiban_using_subcommand help; and not __fish_seen_subcommand_from demo node goodbye hub board score replay load check provision doctor camera say dictionary setup config help" -f -a "setup" -d 'At the start of a box made from the image: take over the card\'s file, prepare network and time'
complete -c yobiban -n "__fish_yobiban_using_subcommand help; and not __fish_seen_subcommand_from demo node goodbye hub board score replay load check provision doctor camera say dictionary setup config help" -f -a "config" -d 'Print a commented example with every key and its default'
complete -c yobiban -n "__fish_yobiban_using_subcommand help; and not __fish_seen_subcommand_from demo node goodbye hub board score replay load check provision doctor camera say dictionary setup config help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c yobiban -n "__fish_yobiban_using_subcommand help; and __fish_seen_subcommand_from camera" -f -a "read" -d 'Read a picture and print its fields as JSON, or score a folder of pictures'
complete -c yobiban -n "__fish_yobiban_using_subcommand help; and __fish_seen_subcommand_from camera" -f -a "calibrate" -d 'Find the board and its digits in a picture, and print the block for the configuration'
