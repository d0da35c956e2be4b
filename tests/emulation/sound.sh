#!/bin/sh
# Runs in the emulated machine: a node that speaks, a recorder at the other end of its sound device.
#
# In this machine a second passes when as many instructions were executed, and idle time is left out
# (see `Machine(virtual=True)`), so nobody outside may take part: the broker runs here, too, and
# what was recorded is left on a disk.

BASE="2026-11-24 01:42:00" # UTC
DEVICE=hw:CARD=Loopback,DEV=0
OTHER_END=hw:CARD=Loopback,DEV=1
# A call takes ten seconds.
LIMIT=120
TOPIC=yobiban/v1/chuo/feed/certificates

failed() {
  echo "FAILED $*"
  tail -n 20 /tmp/log
  cat /tmp/arecord /tmp/broker
  exit 1
}

# until_so WHAT COMMAND …: waits until the command succeeds.
until_so() {
  what=$1 begin=$(date +%s)
  shift
  until "$@" >/dev/null 2>&1; do
    [ $(($(date +%s) - begin)) -le $LIMIT ] || failed "$what: not within $LIMIT s"
    sleep 0.1
  done
}

broker() {
  printf 'listener 1883 127.0.0.1\nallow_anonymous true\nuser root\n' >/tmp/broker.conf
  mosquitto -c /tmp/broker.conf >/tmp/broker 2>&1 &
  until_so "the broker answers" mosquitto_pub -h 127.0.0.1 -t hello -m hello
}

# node [LINE]: the service, with one more line of its configuration.
node() {
  {
    printf '[office]\nid = "chuo"\nname = { ja = "中央区" }\n[node]\nid = "n1"\n'
    printf '[mqtt]\nurl = "mqtt://127.0.0.1:1883"\n[store]\ndir = "/tmp/store"\n'
    printf '[[queue]]\nid = "certificates"\nname = { ja = "証明書" }\n'
    printf '[voice]\noutput = "alsa"\ndevice = "%s"\nvolume = 100\n' "$DEVICE"
    printf 'max_backlog = "10m"\ndictionary = "/dictionary"\n%s\n' "$1"
  } >/tmp/node.toml
  yobiban node --config /tmp/node.toml </dev/null >>/tmp/log 2>&1 &
  node=$!
}

stop() {
  kill $node
  wait $node
}

# call TICKET: the next call of the queue, now by the machine's clock.
no=0 calls=
call() {
  no=$((no + 1))
  now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
  one="{\"no\":$no,\"ticket\":\"$1\",\"counter\":\"3\",\"at\":\"$now\",\"kind\":\"call\"}"
  calls=$one${calls:+,$calls}
  mosquitto_pub -h 127.0.0.1 -q 1 -r -t $TOPIC -m "{\"seq\":$no,\"at\":\"$now\",\"day\":\"2026-11-24\",
    \"status\":\"open\",\"waiting\":3,\"on_hold\":0,\"calls\":[$calls]}" || failed "the broker takes no call"
}

spoken() { grep -q "\"through\":$no[,}]" /tmp/store/spoken.json; }

# record NAME / recorded: what the other end hears meanwhile.
record() {
  arecord -q --buffer-size=192000 -D $OTHER_END -t raw -f S16_LE -c 2 -r 48000 /tmp/heard/$1.raw >/tmp/arecord 2>&1 &
  ear=$!
  until_so "the recorder records" test -s /tmp/heard/$1.raw
}

recorded() {
  sleep 1
  kill $ear
  wait $ear
}

# rehearse TICKET …: calls that nobody records. Their sentences are kept by the node, so that the slow
# processor of this machine has no part in the pause before them when they are called again.
rehearse() {
  for ticket in "$@"; do call $ticket; done
  until_so "$* are spoken" spoken
  echo "spoken: $*"
}

# hear NAME TICKET: a call, with what is heard of it.
hear() {
  record $1
  call $2
  until_so "$2 is spoken" spoken
  recorded
}

date -s "$BASE" >/dev/null
mkdir -p /tmp/heard
broker
node
hear first A042
echo "recorded: an announcement"
rehearse A043 A143
hear plain A042
echo "recorded: the same call, made again later"

until_so "the card's driver is removed" rmmod snd_aloop
call A043
until_so "the service says that it is silent" grep -q 'issue="audio-unavailable"' /tmp/log
echo "the driver removed: $(grep audio-unavailable /tmp/log | tail -n 1 | tail -c 100)"
sleep 3
! spoken || failed "a call counts as spoken without a device"
begin=$(date +%s)
insmod /modules/snd-aloop.ko
record back
until_so "A043 is spoken" spoken
recorded
echo "the driver back: its call is spoken after $(($(date +%s) - begin)) s"
hear after A143
echo "recorded: an announcement after that"
stop

node "keep_open = true"
rehearse A044
hear open A044
echo "recorded: on a device that is kept open"
stop

tar cf /dev/vda -C /tmp heard || failed "the disk takes no recording"
echo "all recorded"
