// Applies {{ name }}.hpp to events in a text, and prints what the {{ type | lower }} says:
//
//   {{ name }} GeV events.txt {{ files.values() | join("\n//       ") }}
//
// An event is some lines, and then an empty one:
//
//   event NUMBER simulation|data
{% for each in collections %}
//   {{ each.word }} {{ each.columns | join(" ") }}
{% endfor %}

#include "{{ name }}.hpp"

#include <exception>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <sstream>

namespace {

{{ name }}::EventNumber number_of(const std::string& text) {
  std::istringstream digits(text);
  std::int64_t negative = 0;
  std::uint64_t number = 0;
  const bool read = text[0] == '-' ? !!(digits >> negative) : !!(digits >> number);
  if (!read || digits.peek() != std::istringstream::traits_type::eof()) {
    throw std::runtime_error("event " + text + ": is no number");
  }
  return text[0] == '-' ? {{ name }}::EventNumber(negative) : {{ name }}::EventNumber(number);
}

void fill(std::istream& line, const std::string& what, {{ name }}::Event& event) {
  if (what == "event") {
    std::string number;
    std::string kind;
    line >> number >> kind;
    if (kind != "simulation" && kind != "data") {
      throw std::runtime_error("event " + number + ": simulation or data?");
    }
    event.event_number = number_of(number);
    event.is_data = kind == "data";
{% for each in collections %}
  } else if (what == "{{ each.word }}") {
{% if each.slots is none %}
    line{% for column in each.columns %}{{ "\n        " if each.columns | length > 6 }} >> event.{{ each.member }}.{{ column }}{% endfor %};
{% else %}
    {{ name }}::{{ each.type }}& object = event.{{ each.member }}.emplace_back();
    line{% for column in each.columns %}{{ "\n        " if each.columns | length > 7 }} >> object.{{ column }}{% endfor %};
{% endif %}
{% endfor %}
  } else {
    throw std::runtime_error("unknown line: " + what);
  }
  if (!line) {
    throw std::runtime_error("a number is missing, or is none, in a line: " + what);
  }
}

/// Whether there was another event.
bool read(std::istream& text, {{ name }}::Event& event) {
  event = {};
  bool found = false;
  for (std::string line; std::getline(text, line) && !(line.empty() && found);) {
    std::istringstream words(line);
    if (std::string what; words >> what) {
      fill(words, what, event);
      found = true;
    }
  }
  return found;
}

{% if reconstructs %}
std::ostream& operator<<(std::ostream& out, const {{ name }}::Momentum& momentum) {
  return out << momentum.px << ' ' << momentum.py << ' ' << momentum.pz;
}

{% endif %}
int run(const std::vector<std::string>& arguments) {
  if (arguments.size() < 3 || (arguments[0] != "MeV" && arguments[0] != "GeV")) {
    std::cerr << "usage: {{ name }} MeV|GeV EVENTS.txt FILE.onnx ...\n";
    return 2;
  }
  const auto unit = arguments[0] == "MeV" ? {{ name }}::Unit::MeV : {{ name }}::Unit::GeV;
  const {{ name }}::{{ type }} model({arguments.begin() + 2, arguments.end()}, unit);
  std::ifstream text(arguments[1]);
  if (!text) {
    throw std::runtime_error(arguments[1] + ": cannot be read");
  }
{% if reconstructs %}
  std::cout << "event b bbar probability{{ " confidence" if confidence }} "
               "nu_px nu_py nu_pz nubar_px nubar_py nubar_pz\n"
            << std::setprecision(9);
{% else %}
  std::cout << "event {{ classes | join(" ") or "score" }}\n" << std::setprecision(9);
{% endif %}
  for ({{ name }}::Event event; read(text, event);) {
{% if reconstructs %}
    const {{ name }}::Result result = model.reconstruct(event);
    std::cout << event.event_number->text() << ' ' << result.b << ' ' << result.bbar << ' '
              << result.probability << ' '{{ " << result.confidence << ' '" if confidence }}
              << result.neutrino << ' ' << result.antineutrino << '\n';
{% elif classes %}
    const auto said = model.probabilities(event);
    std::cout << event.event_number->text();
    for (const double probability : said) {
      std::cout << ' ' << probability;
    }
    std::cout << '\n';
{% else %}
    const double score = model.score(event);
    std::cout << event.event_number->text() << ' ' << score << '\n';
{% endif %}
  }
  return 0;
}

}  // namespace

int main(int count, char** words) {
  try {
    return run({words + 1, words + count});
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
