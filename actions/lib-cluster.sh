# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2154  # OPT is filled by the script, variables are read by it
# What is known about pacemaker: who is healthy, and putting a node in standby.
# Sourced after lib.sh.

# read_cluster NODE: the cluster as crm_mon sees it. Sets QUORUM MAINTENANCE
# NODE_KNOWN NODE_ONLINE NODE_UNCLEAN NODE_STANDBY NODE_RESOURCES (but the one of
# --stays) HEALTHY_OTHERS STANDBY_OTHERS FENCING.
read_cluster() {
  local line name resource='' staying=0
  QUORUM=false MAINTENANCE=false FENCING=false
  NODE_KNOWN=0 NODE_ONLINE=false NODE_UNCLEAN=false NODE_STANDBY=false
  NODE_RESOURCES=0 HEALTHY_OTHERS=0 STANDBY_OTHERS=0
  limited "$ASK_LIMIT" crm_mon -1 --output-as=xml
  # Pacemaker before 2.0.3 has the older option only.
  ((RC == 64)) && limited "$ASK_LIMIT" crm_mon --as-xml
  ((RC == 124)) && finish "$TIMED_OUT" "the cluster did not answer"
  ((RC == 0)) || finish "$REFUSED" "the cluster is not running on this host"
  while IFS= read -r line; do
    case $line in
      *'<current_dc '*) xml_attribute "$line" with_quorum; QUORUM=$VALUE ;;
      *'<cluster_options '*)
        xml_attribute "$line" maintenance-mode; MAINTENANCE=$VALUE
        xml_attribute "$line" stonith-enabled; FENCING=$VALUE
        ;;
      *'<resource '*) xml_attribute "$line" id; resource=$VALUE ;;
      *'<node '*' online="'*)
        xml_attribute "$line" name; name=$VALUE
        if [[ $name == "$1" ]]; then
          NODE_KNOWN=1
          xml_attribute "$line" online; NODE_ONLINE=$VALUE
          xml_attribute "$line" standby; NODE_STANDBY=$VALUE
          xml_attribute "$line" unclean; NODE_UNCLEAN=$VALUE
          xml_attribute "$line" resources_running; NODE_RESOURCES=$VALUE
        elif [[ $line == *' type="member"'* ]]; then
          [[ $line == *' standby="true"'* ]] && STANDBY_OTHERS=$((STANDBY_OTHERS + 1))
          [[ $line == *' online="true"'* &&
            ! $line =~ \ (standby|standby_onfail|maintenance|pending|unclean|shutdown)=\"true\" ]] &&
            HEALTHY_OTHERS=$((HEALTHY_OTHERS + 1))
        fi
        ;;
      # What follows the resources names nodes, too.
      *'</resource'*) resource='' ;;
      # The same tag without online= says where a resource runs.
      *'<node name="'*)
        xml_attribute "$line" name
        [[ $VALUE == "$1" && -n ${OPT[stays]:-} && $resource == "${OPT[stays]}" ]] && staying=$((staying + 1)) ;;
    esac
  done <<<"${OUT//></>$'\n'<}"
  [[ $NODE_RESOURCES =~ ^[0-9]+$ ]] && NODE_RESOURCES=$((NODE_RESOURCES - staying))
}

# this_node: THIS_NODE, the cluster's name of this host.
this_node() {
  limited "$ASK_LIMIT" crm_node -n
  ((RC == 124)) && finish "$TIMED_OUT" "the cluster did not answer"
  ((RC == 0)) || finish "$REFUSED" "the cluster is not running on this host"
  valid node "$OUT" || finish "$FAILED" "crm_node gave a strange name: $OUT"
  THIS_NODE=$OUT
}

# ---------------------------------------------------------------- the claim

# Two nodes that go in standby at once stop everything, also when both are taken back a second later. A lock file on
# each host does not see the other host. Pacemaker carries out one change of its configuration after the other, on
# all nodes alike, and does not create what exists: so one script in the whole cluster holds the claim, from its look
# at the other nodes until its own node is seen in standby.
readonly CLAIM=correlator-standby
CLAIM_OLD=300  # seconds; what is done under a claim has limits that end sooner
CLAIMED=''     # what our claim says, while we hold it

# claim SECONDS: wait so long for the scripts of other nodes.
claim() {
  ((DRY_RUN)) && return
  local waited_from=$SECONDS refusals=0 removals=0 claimed
  claimed="$THIS_NODE $(date +%s) $$"
  while :; do
    # Asked first: pacemaker writes each creation that fails into the log as an error, in eight lines.
    limited "$ASK_LIMIT" cibadmin --query --xpath "//nvpair[@id='$CLAIM-by']"
    ((RC == 124)) && finish "$TIMED_OUT" "the cluster did not answer"
    if ((RC == 0)); then
      xml_attribute "$OUT" value
      claim_is_left && ((++removals < 5)) && continue
      ((SECONDS - waited_from < $1)) || finish "$TIMED_OUT" "a standby from ${VALUE%% *} has been under way for more than $1 s"
    else
      limited "$ASK_LIMIT" cibadmin --create --scope crm_config --xml-text \
        "<cluster_property_set id=\"$CLAIM\"><nvpair id=\"$CLAIM-by\" name=\"$CLAIM-by\" value=\"$claimed\"/></cluster_property_set>"
      ((RC == 0)) && break
      ((RC == 124)) && finish "$TIMED_OUT" "the cluster did not answer"
      # Another script was faster; or the cluster takes no changes.
      refusals=$((refusals + 1))
      ((refusals < 5)) || finish "$FAILED" "the cluster takes no changes of its configuration"
    fi
    sleep 0.2
  done
  CLAIMED=$claimed
}

# claim_is_left: true where VALUE is the claim of a script that is gone; it was removed. On this host we hold the lock of standby, so
# no other script of ours is alive.
claim_is_left() {
  local value=$VALUE why=''
  if [[ ! $value =~ ^([A-Za-z0-9._-]+)\ ([0-9]{1,12})\ ([0-9]+)$ ]]; then
    finish "$NEEDS_PERSON" "cluster property $CLAIM-by has a strange value; remove it: crm_attribute --type crm_config --name $CLAIM-by --delete"
  elif [[ ${BASH_REMATCH[1]} == "$THIS_NODE" ]]; then
    why='a script that is gone'
  elif (($(date +%s) - 10#${BASH_REMATCH[2]} > CLAIM_OLD)); then
    why="older than $CLAIM_OLD s"
  else
    read_cluster "${BASH_REMATCH[1]}"
    [[ $NODE_ONLINE == true ]] || why='a node that is not online'
  fi
  if [[ -n $why ]]; then
    log "removing the claim of $value: $why"
    drop_claim "$value"
  fi
  VALUE=$value
  [[ -n $why ]]
}

# Only if it still says what we read: it may be another's by now.
drop_claim() { limited "$ASK_LIMIT" cibadmin --delete --xpath "//cluster_property_set[@id='$CLAIM'][nvpair/@value='$1']"; }

unclaim() {
  local claimed=$CLAIMED
  CLAIMED=''
  [[ -z $claimed ]] || drop_claim "$claimed"
}

# Whatever the reason to leave, the claim is given up first. A standby that may still take effect keeps it until it is old.
finish() {
  unclaim
  log "$2"
  exit "$1"
}
on_interrupt() { unclaim; }

# ---------------------------------------------------------------- standby

# standby_options: what crm-standby and pcs-standby have in common.
standby_options() {
  option node node ''
  option timeout seconds 300
  option max-standby number 1
  option stays word ''
  option lock-wait seconds 30
  option undo flag
}

standby_usage() {
  cat <<'TEXT'
Put a node in standby, wait until its resources have moved, and check that none
is left. Refused without quorum; the last healthy node is never put in standby.

  --node NODE        default: this host
  --timeout S        limit for the moves, default 300
  --max-standby N    this many nodes may be in standby, this one included, default 1
  --stays RESOURCE   it is left on the node: it is unmanaged (quiesce-guest)
  --lock-wait S      wait for another standby action on this host, default 30
  --undo             back online, when it was this action that put it in standby
TEXT
}

# standby_node: the whole of crm-standby and pcs-standby. The script gives
# enter_standby and leave_standby, which call `change`.
standby_node() {
  need crm_mon
  need crm_node
  need crm_resource
  need cibadmin
  need flock
  NODE=${OPT[node]}
  this_node
  [[ -n $NODE ]] || NODE=$THIS_NODE
  lock 8 standby "${OPT[lock-wait]}"
  read_cluster "$NODE"
  ((NODE_KNOWN)) || finish "$NOT_HERE" "$NODE is not a node of this cluster"
  [[ $QUORUM == true ]] || finish "$REFUSED" "the cluster has no quorum"
  ((UNDO)) && back_online
  [[ $MAINTENANCE != true ]] || finish "$REFUSED" "the cluster is in maintenance mode: standby would move nothing"
  if [[ $NODE_STANDBY == true ]]; then
    log "$NODE is in standby already"
  else
    go_in_standby
  fi
  ((DRY_RUN)) && finish "$DONE" "dry run: nothing to do"
  settle
  [[ $NODE_STANDBY == true ]] || finish "$FAILED" "$NODE is not in standby after the command"
  [[ ${NODE_RESOURCES:-0} == 0 ]] ||
    finish "$FAILED" "$NODE is in standby but still runs $NODE_RESOURCES resource(s)"
  finish "$DONE" "$NODE is in standby and runs no resource${OPT[stays]:+ but ${OPT[stays]}}"
}

# go_in_standby: from the look at the others to the sight of our own node in standby, one node at a time.
go_in_standby() {
  claim "${OPT[lock-wait]}"
  ((DRY_RUN)) || read_cluster "$NODE"
  if [[ $NODE_STANDBY == true ]]; then  # meanwhile, by the script of another node
    log "$NODE is in standby already"
    unclaim
    return
  fi
  [[ $NODE_ONLINE == true ]] || finish "$REFUSED" "$NODE is not online"
  guard_others "$NEEDS_PERSON"
  mark standby "$NODE" "lifetime=${OPT[lifetime]:-forever}"
  enter_standby
  if ((RC)); then
    ((RC == 124)) && CLAIMED='' && finish "$TIMED_OUT" "standby of $NODE: no answer; it may still take effect"
    unmark standby "$NODE"
    finish "$FAILED" "standby of $NODE was not accepted"
  fi
  ((DRY_RUN)) && finish "$DONE" "dry run: $NODE would be put in standby, $HEALTHY_OTHERS other healthy node(s)"
  # --lifetime reboot goes through attrd, which answers before the cluster knows.
  local i
  for ((i = 0; i < 40; ++i)); do
    read_cluster "$NODE"
    [[ $NODE_STANDBY == true ]] && break
    sleep 0.25
  done
  if [[ $NODE_STANDBY != true ]]; then
    CLAIMED=''
    finish "$TIMED_OUT" "$NODE is not in standby yet; it may still take effect"
  fi
  # A person knows nothing of claims.
  if ((HEALTHY_OTHERS == 0 || STANDBY_OTHERS >= ${OPT[max-standby]})); then
    leave_standby
    ((RC == 0)) || finish "$NEEDS_PERSON" "another node went at the same time, and $NODE could not be taken back (exit $RC)"
    unmark standby "$NODE"
    finish "$NEEDS_PERSON" "another node went at the same time; $NODE was taken back"
  fi
  unclaim
}

guard_others() {
  ((HEALTHY_OTHERS > 0)) || finish "$1" "$NODE is the last healthy node: standby would stop everything"
  ((STANDBY_OTHERS < ${OPT[max-standby]})) ||
    finish "$1" "$STANDBY_OTHERS other node(s) are in standby, the limit is ${OPT[max-standby]}"
}

# settle: a command that returned has only written an attribute; wait for the moves.
settle() {
  limited "$((OPT[timeout] + 5))" crm_resource --wait --timeout="${OPT[timeout]}s"
  # 124 is its own exit code for that, too.
  ((RC == 124)) && finish "$TIMED_OUT" "resources are still moving after ${OPT[timeout]} s"
  ((RC == 0)) || finish "$FAILED" "waiting for the cluster failed"
  read_cluster "$NODE"
}

back_online() {
  if [[ $NODE_STANDBY != true ]]; then
    unmark standby "$NODE"
    finish "$DONE" "$NODE is not in standby"
  fi
  marker standby "$NODE" || finish "$REFUSED" "$NODE was not put in standby by this action: left as it is"
  leave_standby
  ((RC == 124)) && finish "$TIMED_OUT" "taking $NODE out of standby: no answer"
  ((RC == 0)) || finish "$FAILED" "$NODE could not be taken out of standby"
  ((DRY_RUN)) && finish "$DONE" "dry run: $NODE would be taken out of standby"
  settle
  [[ $NODE_STANDBY != true ]] || finish "$FAILED" "$NODE is still in standby"
  unmark standby "$NODE"
  finish "$DONE" "$NODE is back"
}
