export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

// Each script hands what was typed to sipctl itself, which knows its verbs, flags and objects.
const scripts: Record<Shell, string> = {
  bash: `# source <(sipctl completion bash)
_sipctl() {
  local IFS=$'\\n'
  COMPREPLY=($(sipctl completion words -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _sipctl sipctl
`,
  zsh: `#compdef sipctl
# source <(sipctl completion zsh)
_sipctl() {
  local -a candidates
  candidates=("\${(@f)$(sipctl completion words -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  compadd -a candidates
}
compdef _sipctl sipctl
`,
  fish: `# sipctl completion fish | source
complete -c sipctl -f -a '(sipctl completion words -- (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)'
`,
};

export const completionScript = (shell: Shell): string => scripts[shell];
