/**
 * What each shell must be told: it asks `passqemu completion candidates -- WORD…` for lines of "value, tab, what it is"; a line
 * ":files" means a path.
 */
export const COMPLETION_SCRIPTS: Readonly<Record<string, string>> = {
  // bash splits words at colons, which PCI addresses have: the line itself is split at blanks, and what readline has already is cut off
  bash: `_passqemu() {
  local line=\${COMP_LINE:0:COMP_POINT} item current prefix=
  local -a words
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  current=\${words[-1]}
  [[ $COMP_WORDBREAKS == *:* && $current == *:* ]] && prefix=\${current%"\${current##*:}"}
  COMPREPLY=()
  while IFS= read -r item; do
    if [[ $item == :files ]]; then
      compopt -o default
      return
    fi
    item=\${item%%$'\\t'*}
    COMPREPLY+=("\${item#"$prefix"}")
  done < <("\${words[0]}" completion candidates -- "\${words[@]:1}" 2>/dev/null)
}
complete -F _passqemu passqemu
`,
  zsh: `#compdef passqemu
_passqemu() {
  local item
  local -a found
  while IFS= read -r item; do
    if [[ $item == :files ]]; then
      _files
      return
    fi
    found+=("\${\${item%%$'\\t'*}//:/\\\\:}:\${item#*$'\\t'}")
  done < <("\${words[1]}" completion candidates -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  _describe passqemu found
}
if [[ \${funcstack[1]} == _passqemu ]]; then _passqemu "$@"; else compdef _passqemu passqemu; fi
`,
  fish: `function __passqemu_candidates
  set -l words (commandline -opc) (commandline -ct)
  set -l found ($words[1] completion candidates -- $words[2..-1] 2>/dev/null)
  if test "$found[1]" = :files
    __fish_complete_path (commandline -ct)
  else
    printf '%s\\n' $found
  end
end
complete -c passqemu -f -a '(__passqemu_candidates)'
`,
};
