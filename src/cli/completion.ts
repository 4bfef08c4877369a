import { Argument, Command } from './commander.ts';
import type { Terminal } from './terminal.ts';

const NOTES = `
Examples:
  bash:  $ etherws completion bash > ~/.local/share/bash-completion/completions/etherws
  zsh:   $ etherws completion zsh > ~/.zfunc/_etherws      (a directory of fpath)
  fish:  $ etherws completion fish > ~/.config/fish/completions/etherws.fish
`;

/** Bash splits words at `:` and `=`. The script joins them, and cuts all but the last part from completions. */
const BASH = `# bash completion of etherws
_etherws() {
  local words=() word last='' IFS=$'\\n'
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD}"; do
    if [[ \${#words[@]} -gt 0 && ( $word =~ ^[:=]+$ || $last =~ ^[:=]+$ ) ]]; then words[-1]+=$word
    else words+=("$word"); fi
    last=$word
  done
  COMPREPLY=($(etherws complete "\${words[@]}" 2>/dev/null))
  local typed=\${words[-1]}
  if [[ $typed == *[:=]* ]]; then COMPREPLY=("\${COMPREPLY[@]#"\${typed%"\${typed##*[:=]}"}"}"); fi
}
complete -o default -F _etherws etherws
`;

const ZSH = `#compdef etherws
# zsh completion of etherws
_etherws() {
  local -a found
  found=("\${(@f)$(etherws complete "\${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n \${found[1]} ]]; then compadd -- "\${found[@]}"; else _files; fi
}
if [[ \${funcstack[1]} == _etherws ]]; then _etherws "$@"; else compdef _etherws etherws; fi
`;

const FISH = `# fish completion of etherws
function __etherws_complete
    set -l words (commandline -opc)
    set -l found (etherws complete $words[2..-1] (commandline -ct) 2>/dev/null)
    if test (count $found) -gt 0
        printf '%s\\n' $found
    else
        __fish_complete_path (commandline -ct)
    end
end
complete -c etherws -f -a '(__etherws_complete)'
`;

const SCRIPTS = { bash: BASH, zsh: ZSH, fish: FISH } as const;

/** `etherws completion SHELL`: prints the script by which a shell completes commands, options, values and ports. */
export function completionCommand(terminal: Terminal): Command {
  return new Command('completion')
    .description('print what makes a shell complete commands, options, values and ports')
    .helpOption('-h, --help', 'print this help')
    .addArgument(new Argument('<SHELL>', 'the shell').choices(Object.keys(SCRIPTS)))
    .allowExcessArguments(false)
    .addHelpText('after', NOTES)
    .action((shell: keyof typeof SCRIPTS) => terminal.print(SCRIPTS[shell]));
}
