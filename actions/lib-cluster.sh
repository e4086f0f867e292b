# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154  # OPT is filled by the options of the script
# What is known about pacemaker: who is healthy, and putting a node in standby.
# Sourced after lib.sh.

# read_cluster NODE: the cluster as crm_mon sees it. Sets QUORUM MAINTENANCE
# NODE_KNOWN NODE_ONLINE NODE_STANDBY NODE_RESOURCES HEALTHY_OTHERS STANDBY_OTHERS.
read_cluster() {
  local line name
  QUORUM=false MAINTENANCE=false NODE_KNOWN=0 NODE_ONLINE=false NODE_STANDBY=false
  NODE_RESOURCES=0 HEALTHY_OTHERS=0 STANDBY_OTHERS=0
  limited "$ASK_LIMIT" crm_mon -1 --output-as=xml
  # Pacemaker before 2.0.3 has the older option only.
  ((RC == 64)) && limited "$ASK_LIMIT" crm_mon --as-xml
  ((RC == 124)) && finish "$TIMED_OUT" "the cluster did not answer"
  ((RC == 0)) || finish "$REFUSED" "the cluster is not running on this host"
  while IFS= read -r line; do
    case $line in
      *'<current_dc '*) xml_attribute "$line" with_quorum; QUORUM=$VALUE ;;
      *'<cluster_options '*) xml_attribute "$line" maintenance-mode; MAINTENANCE=$VALUE ;;
      # The same tag without online= says where a resource runs.
      *'<node '*' online="'*)
        xml_attribute "$line" name; name=$VALUE
        if [[ $name == "$1" ]]; then
          NODE_KNOWN=1
          xml_attribute "$line" online; NODE_ONLINE=$VALUE
          xml_attribute "$line" standby; NODE_STANDBY=$VALUE
          xml_attribute "$line" resources_running; NODE_RESOURCES=$VALUE
        elif [[ $line == *' type="member"'* ]]; then
          [[ $line == *' standby="true"'* ]] && STANDBY_OTHERS=$((STANDBY_OTHERS + 1))
          [[ $line == *' online="true"'* &&
            ! $line =~ \ (standby|standby_onfail|maintenance|pending|unclean|shutdown)=\"true\" ]] &&
            HEALTHY_OTHERS=$((HEALTHY_OTHERS + 1))
        fi
        ;;
    esac
  done <<<"${OUT//></>$'\n'<}"
}

# local_node: the cluster's name of this host.
local_node() {
  limited "$ASK_LIMIT" crm_node -n
  ((RC == 0)) || finish "$REFUSED" "the cluster does not tell this host's node name"
  valid node "$OUT" || finish "$FAILED" "crm_node gave a strange name: $OUT"
  NODE=$OUT
}

# standby_node: the whole of crm-standby and pcs-standby. The script gives
# enter_standby and leave_standby, which call `change`.
standby_node() {
  need crm_mon
  need crm_node
  need crm_resource
  need flock
  NODE=${OPT[node]}
  [[ -n $NODE ]] || local_node
  lock 8 standby "${OPT[lock-wait]}"
  read_cluster "$NODE"
  ((NODE_KNOWN)) || finish "$NOT_HERE" "$NODE is not a node of this cluster"
  [[ $QUORUM == true ]] || finish "$REFUSED" "the cluster has no quorum"
  ((UNDO)) && back_online
  [[ $MAINTENANCE != true ]] || finish "$REFUSED" "the cluster is in maintenance mode: standby would move nothing"
  if [[ $NODE_STANDBY == true ]]; then
    log "$NODE is in standby already"
  else
    [[ $NODE_ONLINE == true ]] || finish "$REFUSED" "$NODE is not online"
    guard_others "$NEEDS_PERSON"
    mark standby "$NODE" "lifetime=${OPT[lifetime]:-forever}"
    enter_standby
    if ((RC)); then
      ((RC == 124)) && finish "$TIMED_OUT" "standby of $NODE: no answer; it may still take effect"
      unmark standby "$NODE"
      finish "$FAILED" "standby of $NODE was not accepted"
    fi
    ((DRY_RUN)) && finish "$DONE" "dry run: $NODE would be put in standby, $HEALTHY_OTHERS other healthy node(s)"
    # Another node may have done the same between our look and our change.
    read_cluster "$NODE"
    if ((HEALTHY_OTHERS == 0 || STANDBY_OTHERS >= ${OPT[max-standby]})); then
      leave_standby
      unmark standby "$NODE"
      finish "$NEEDS_PERSON" "another node went at the same time; $NODE was taken back (exit $RC)"
    fi
  fi
  ((DRY_RUN)) && finish "$DONE" "dry run: nothing to do"
  settle
  [[ $NODE_STANDBY == true ]] || finish "$FAILED" "$NODE is not in standby after the command"
  [[ ${NODE_RESOURCES:-0} == 0 ]] ||
    finish "$FAILED" "$NODE is in standby but still runs $NODE_RESOURCES resource(s)"
  finish "$DONE" "$NODE is in standby and runs no resource"
}

guard_others() {
  ((HEALTHY_OTHERS > 0)) || finish "$1" "$NODE is the last healthy node: standby would stop everything"
  ((STANDBY_OTHERS < ${OPT[max-standby]})) ||
    finish "$1" "$STANDBY_OTHERS other node(s) are in standby, the limit is ${OPT[max-standby]}"
}

# settle: a command that returned has only written an attribute; wait for the moves.
settle() {
  limited "$((OPT[timeout] + 5))" crm_resource --wait --timeout="${OPT[timeout]}s"
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
