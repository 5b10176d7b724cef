
# Places of other stores than the file system, whose paths bash completes by itself.
_omnistorage_with_places() {
    _omnistorage "$@"
    local line="${COMP_LINE:0:COMP_POINT}"
    local word="${line##* }"
    case "$word" in -*) return ;; esac
    local -a found
    mapfile -t found < <(omnistorage complete-place "$word" 2>/dev/null)
    [[ ${#found[@]} -eq 0 ]] && return
    # Bash breaks words at colons: what is completed is what follows the last one.
    local before=""
    [[ $COMP_WORDBREAKS == *:* && $word == *:* ]] && before="${word%"${word##*:}"}"
    local place
    for place in "${found[@]}"; do
        COMPREPLY+=("$(printf '%q' "${place#"$before"}")")
    done
    compopt -o nospace 2>/dev/null
}
complete -F _omnistorage_with_places -o bashdefault -o default omnistorage
