# Completion of tf for bash, from 3.2: `eval "$(tf shim completion bash)"` in ~/.bashrc.
#
# Terraform's own words, asked of Terraform, and everything behind `tf shim`. It serves tf, terraform and
# tofu where they lead to tf, and leaves other programs of these names alone. After an alias of your own:
# complete -F __tf_shim_complete NAME

# The program; the tf on PATH where it is not there.
__tf_shim_program=''

# Prints the tf that a command name leads to; fails where it leads elsewhere.
__tf_shim_find() {
  local tf=$__tf_shim_program name=$1 found
  [ -x "$tf" ] || tf=$(type -P tf)
  # Nothing relative is ever run for a Tab.
  case $tf in /*) ;; *) return 1 ;; esac
  case $name in
    '~/'*) found=$HOME/${name#'~/'} ;;
    */*) found=$name ;;
    *)
      # Quotes would hide where a word of the alias ends.
      found=$(alias "$name" 2>/dev/null)
      case "${found//[\'\"]/ } " in
        *[\ =/]tf\ *) printf '%s' "$tf"; return 0 ;;
      esac
      case $name in
        tf | terraform | tofu) found=$(type -P "$name") ;;
        # Whoever set this completion for another name means tf.
        *) found=$tf ;;
      esac
      ;;
  esac
  [ -n "$found" ] && [ "$found" -ef "$tf" ] && printf '%s' "$tf"
}

__tf_shim_complete() {
  local line=${COMP_LINE:0:COMP_POINT} tf kind lead word meaning
  COMPREPLY=()
  if ! tf=$(__tf_shim_find "$1"); then
    # Another program by now: as Terraform would be asked without us, and only where it is Terraform.
    case $1 in terraform | tofu) tf=$(type -P "$1") ;; esac
    case $tf in /*) ;; *) return 0 ;; esac
    while IFS= read -r word; do
      [ -z "$word" ] || COMPREPLY[${#COMPREPLY[@]}]=$word
    done <<EOF
$(COMP_LINE=$line COMP_POINT='' "$tf" 2>/dev/null)
EOF
    return 0
  fi
  kind=''
  while IFS=$'\t' read -r word meaning; do
    if [ -z "$kind" ]; then
      kind=$word
    elif [ -n "$word" ]; then
      COMPREPLY[${#COMPREPLY[@]}]=$word
    fi
  done <<EOF
$(COMP_LINE='' TF_SHIM_BYPASS='' "$tf" shim complete --breaks "$COMP_WORDBREAKS" -- "$line" 2>/dev/null)
EOF
  # Before bash 4 there is no compopt; files are then offered wherever there is nothing else.
  case $kind in
    stems) compopt -o nospace 2>/dev/null ;;
    files) compopt -o default 2>/dev/null ;;
    directories) compopt -o dirnames 2>/dev/null ;;
  esac
  return 0
}

__tf_shim_register() {
  local name options=()
  type compopt >/dev/null 2>&1 || options=(-o default)
  for name in tf terraform tofu; do
    if __tf_shim_find "$name" >/dev/null; then
      complete ${options[@]+"${options[@]}"} -F __tf_shim_complete "$name"
    fi
  done
}
__tf_shim_register
unset -f __tf_shim_register
