package plan

import (
	"strings"
	"unicode"
)

// group is what the lines around a key are about: "Count" is a number of
// accelerators under Compute and a number of records under Dataset.
type group string

const (
	anywhere     group = ""
	inDataset    group = "dataset"
	inEvaluation group = "evaluation dataset"
	inBaseline   group = "baseline model"
	inTarget     group = "target model"
	inPrompt     group = "prompt"
	inHyper      group = "hyperparameters"
	inCompute    group = "compute"
	inRepro      group = "reproducibility"
	inMetrics    group = "baseline metrics"
	inAcceptance group = "acceptance"
	inDrift      group = "drift"
	inRollback   group = "rollback"
	inRelease    group = "release"
	inCard       group = "data card"
	inWaivers    group = "waivers"
	inOutput     group = "output"
	inNothing    group = "nothing" // text that states no facts: open points, history
)

// term is what a key means: the field it fills, the group it opens for what
// stands below it, or both.
type term struct {
	field Field
	opens group
}

// vocabulary is every key in the field's words, by the group it is read in.
// Keys are compared after normalKey. A key of a group hides the same key of
// anywhere.
var vocabulary = []struct {
	in    group
	term  term
	names string
}{
	{anywhere, term{Pilot, ""}, "pilot|pilot id|pilot name|id пилота|пилот|идентификатор пилота|идентификатор"},
	{anywhere, term{Initiator, ""}, "who|кто|initiator|initiated by|requested by|requester|requestor|pilot initiator|owner|pilot owner|author|proposed by|responsible|contact|dri|lead|инициатор|автор|ответственный|владелец|владелец пилота|заказчик|запросил|контакт"},
	{anywhere, term{Scenario, ""}, "scenario|scenario id|scenario name|use case|usecase|task|benchmark scenario|сценарий|сценарий id|id сценария|задача|кейс"},
	{anywhere, term{Locale, ""}, "locale|language|lang|target locale|target language|dataset language|локаль|язык|язык данных|целевая локаль"},
	{anywhere, term{Revision, ""}, "revision|plan revision|rev|ревизия|редакция|редакция плана"},

	{anywhere, term{Dataset, inDataset}, "dataset|data set|data|training dataset|training data|train dataset|train data|train set|training set|dataset training|dataset train|fine tuning dataset|finetuning dataset|fine tuning data|fine tune data|fine tune dataset|sft data|sft dataset|training corpus|corpus|dataset path|dataset uri|dataset file|dataset location|training file|train file|training dataset path|train path|samples|stage 05 02 export|stage 05 02 dataset|export|dataset snapshot|snapshot|датасет|данные|обучающий датасет|обучающие данные|обучающая выборка|обучающий набор|тренировочный датасет|тренировочные данные|тренировочная выборка|набор данных|набор данных для обучения|датасет для обучения|данные для обучения|путь к датасету|файл датасета|датасет обучение|выборка|корпус|выгрузка"},
	{anywhere, term{DatasetID, inDataset}, "dataset id|dataset name|id датасета|имя датасета|название датасета"},
	{anywhere, term{DatasetSHA256, ""}, "dataset sha256|dataset sha 256|dataset hash|dataset digest|dataset checksum|training dataset sha256|training dataset hash|training data sha256|training data hash|train sha256|data sha256|data hash|sha256 dataset|sha256 of dataset|sha256 of the dataset|hash of the dataset|dataset hash sha256|snapshot sha256|snapshot hash|хеш датасета|хэш датасета|sha256 датасета|хеш данных|хэш данных|контрольная сумма датасета|sha256 данных|sha256 обучающего датасета|хеш обучающего датасета"},
	{anywhere, term{Records, ""}, "records|record count|number of records|no of records|dataset records|dataset size|dataset count|training records|training samples|train records|num records|number of samples|sample count|samples count|число записей|количество записей|записей|записи|объем датасета|объём датасета|размер датасета|количество примеров|число примеров"},
	{anywhere, term{DataCard, inCard}, "data card|datacard|dataset card|data sheet|datasheet|data card path|карточка данных|карточка датасета|паспорт данных|паспорт датасета|дата карта|датакарта|описание датасета"},

	{anywhere, term{EvaluationDataset, inEvaluation}, "evaluation dataset|eval dataset|evaluation data|eval data|evaluation set|eval set|held out dataset|held out set|held out data|holdout|holdout dataset|holdout set|hold out|hold out set|hold out dataset|test dataset|test set|test data|validation dataset|validation set|validation data|dataset evaluation|dataset eval|dataset holdout|dataset held out|dataset test|benchmark dataset|evaluation dataset path|eval dataset path|evaluation file|eval file|eval path|evaluation samples|eval samples|оценочный датасет|датасет оценки|датасет для оценки|датасет оценка|данные для оценки|оценочная выборка|оценочные данные|оценочный набор|тестовый датасет|тестовая выборка|тестовые данные|тестовый набор|валидационный датасет|валидационная выборка|отложенная выборка|отложенный датасет|контрольная выборка|набор данных для оценки"},
	{anywhere, term{EvaluationSHA256, ""}, "evaluation sha256|eval sha256|evaluation dataset sha256|evaluation dataset hash|evaluation hash|eval hash|eval dataset hash|eval dataset sha256|evaluation digest|holdout sha256|holdout hash|test set sha256|хеш оценочного датасета|sha256 оценочного датасета|хеш датасета оценки|sha256 датасета оценки|sha256 оценки"},
	{anywhere, term{EvaluationRecords, ""}, "evaluation records|eval records|evaluation dataset records|evaluation dataset size|evaluation record count|eval count|holdout records|число записей оценки|количество записей для оценки|записей в оценке|записей для оценки"},

	{anywhere, term{BaselineModel, inBaseline}, "baseline|baseline model|model baseline|base model|baseline checkpoint|base checkpoint|reference model|current model|production model|source model|starting model|starting checkpoint|init checkpoint|pretrained model|foundation model|model base|базовая модель|исходная модель|модель базовая|модель бейзлайн|бейзлайн|бейзлайн модель|базлайн|базовый чекпоинт|текущая модель|исходный чекпоинт|опорная модель"},
	{anywhere, term{BaselineDigest, ""}, "baseline digest|baseline model digest|base model digest|baseline hash|baseline sha256|baseline model sha256|model digest|model sha256|checkpoint sha256|weights sha256|дайджест базовой модели|хеш базовой модели|хэш базовой модели|sha256 базовой модели|дайджест модели|хеш модели"},
	{anywhere, term{BaselineVersion, ""}, "baseline version|baseline model version|base model version|версия базовой модели|версия бейзлайна"},
	{anywhere, term{TargetModel, inTarget}, "target model|training target|target|model target|fine tuned model|finetuned model|fine tuning target|finetune target|candidate|candidate model|output model|new model|model to train|resulting model|student model|target model name|целевая модель|модель цель|цель обучения|кандидат|модель кандидат|обучаемая модель|дообучаемая модель|дообученная модель|новая модель|итоговая модель"},

	{anywhere, term{PromptVersion, inPrompt}, "prompt|prompt version|prompt template|prompt template version|system prompt|prompt id|prompt name|prompts|prompt revision|промпт|версия промпта|версия промта|промт|шаблон промпта|системный промпт|подсказка|версия подсказки|версия шаблона"},
	{anywhere, term{PromptFile, ""}, "prompt file|prompt path|prompt template file|prompt template path|файл промпта|путь к промпту|файл промта|файл шаблона"},

	{anywhere, term{"", inHyper}, "hyperparameters|hyperparams|hyper parameters|hyperparameter|training hyperparameters|training parameters|training params|training arguments|training args|training settings|training setup|training configuration|training recipe|recipe|fine tuning parameters|fine tuning settings|fine tuning hyperparameters|optimization|optimisation|params|parameters|гиперпараметры|параметры обучения|параметры|настройки обучения|рецепт|рецепт обучения|параметры дообучения|конфигурация обучения|оптимизация"},
	{anywhere, term{Epochs, ""}, "epochs|epoch|number of epochs|num epochs|num train epochs|n epochs|training epochs|epoch count|max epochs|эпохи|эпох|эпоха|число эпох|количество эпох|кол во эпох|эпохи обучения"},
	{anywhere, term{BatchSize, ""}, "batch size|batch|batchsize|bs|global batch size|effective batch size|train batch size|training batch size|per device batch size|per device train batch size|mini batch size|micro batch size|размер батча|батч|размер пакета|пакет|батчсайз|размер партии|размер мини батча"},
	{anywhere, term{LearningRate, ""}, "learning rate|lr|peak lr|max lr|base lr|initial lr|initial learning rate|peak learning rate|learning rate lr|скорость обучения|темп обучения|шаг обучения|лр|начальная скорость обучения"},
	{anywhere, term{Optimiser, ""}, "оптимайзер|optimiser|optimizer|optim|optimiser name|optimizer name|optimization algorithm|оптимизатор|алгоритм оптимизации"},
	{anywhere, term{MaxInputTokens, ""}, "max input tokens|maximum input tokens|max seq len|max seq length|max sequence length|maximum sequence length|max length|max len|sequence length|seq len|seq length|context|context length|context window|max tokens|max input length|max source length|input tokens|input token limit|max context|max context length|model max length|cutoff len|max position embeddings|block size|максимум входных токенов|максимальное число входных токенов|макс входных токенов|максимальная длина|максимальная длина входа|макс длина|макс длина входа|длина контекста|максимальная длина контекста|контекст|окно контекста|длина последовательности|максимальная длина последовательности|входных токенов|максимум токенов|макс токенов|лимит токенов|лимит входных токенов"},
	{anywhere, term{Seed, ""}, "seed|seeds|random seeds|random seed|rng seed|global seed|training seed|seed value|fixed seed|сид|случайное зерно|зерно|начальное зерно|начальное число|зерно генератора|random state|сид генератора|случайный сид"},

	{anywhere, term{Hardware, inCompute}, "compute|compute resources|compute budget|compute plan|hardware|gpu|gpus|gpu type|gpu model|accelerator|accelerators|accelerator type|machine|machine type|node|nodes|instance|instance type|cluster|infrastructure|training hardware|resources|вычисления|вычислительные ресурсы|железо|оборудование|ускоритель|ускорители|видеокарта|видеокарты|гпу|тип gpu|кластер|ресурсы|машина|мощности|инфраструктура"},
	{anywhere, term{HardwareCount, ""}, "gpu count|number of gpus|num gpus|gpus count|hardware count|accelerator count|number of accelerators|device count|number of devices|world size|n gpus|gpu quantity|количество gpu|число gpu|количество карт|число карт|количество ускорителей|число ускорителей|количество видеокарт|кол во gpu"},
	{anywhere, term{Hours, ""}, "hours|estimated hours|gpu hours|estimated gpu hours|estimated time|estimated duration|expected duration|duration|training time|estimated training time|wall time|wall clock|wall clock time|walltime|time estimate|expected hours|compute hours|runtime|estimated runtime|expected runtime|time budget|eta|часы|часов|оценка часов|оценка времени|ожидаемое время|длительность|время обучения|gpu часы|оценка длительности|ожидаемая длительность|ориентировочное время|примерное время|продолжительность|оценка в часах"},

	{anywhere, term{"", inRepro}, "reproducibility|repro|provenance|code|code and config|воспроизводимость|код"},
	{anywhere, term{Commit, inRepro}, "commit|git commit|git sha|commit sha|commit hash|git hash|git revision|code commit|code revision|code version|sha|git ref|training commit|repo commit|repository commit|source commit|коммит|git коммит|гит коммит|хеш коммита|хэш коммита|ревизия кода|версия кода|коммит кода|коммит git"},
	{anywhere, term{Config, ""}, "config|config file|config path|configuration|configuration file|training config|training config file|training configuration file|fine tuning config|finetune config|fine tune config|experiment config|конфиг|файл конфигурации|конфигурация|путь к конфигу|конфиг обучения|файл конфига|конфигурационный файл"},
	{anywhere, term{Script, ""}, "script|training script|train script|fine tuning script|finetune script|fine tune script|entry point|entrypoint|training entry point|training code|script path|скрипт|скрипт обучения|обучающий скрипт|точка входа|скрипт дообучения|путь к скрипту"},
	{anywhere, term{Workflow, ""}, "workflow|training workflow|launch workflow|github workflow|ci workflow|pipeline|воркфлоу|процесс запуска|пайплайн|рабочий процесс"},

	{anywhere, term{"", inMetrics}, "baseline metrics|baseline results|baseline benchmark|baseline scores|current metrics|baseline run|базовые метрики|метрики бейзлайна|метрики базовой модели|результаты бейзлайна|бейзлайн метрики|базовые показатели"},
	{anywhere, term{"", inAcceptance}, "acceptance|acceptance criteria|acceptance criterion|acceptance thresholds|acceptance bands|acceptance metrics|acceptance per metric|success criteria|success criterion|go criteria|go no go criteria|pass criteria|target metrics|metric targets|targets|thresholds|quality gates|quality gate|gates|exit criteria|metrics|evaluation metrics|metrics to track|критерии приемки|критерий приемки|критерии успеха|критерии приемлемости|приемка|пороги|пороги приемки|целевые метрики|целевые показатели|метрики|критерии"},
	{anywhere, term{LatencyTolerance, ""}, "latency tolerance|tolerance for latency|latency budget|latency regression tolerance|latency regression|allowed latency regression|latency delta|max latency regression|latency slack|acceptable latency|latency tolerance p95|допуск по задержке|допуск задержки|допуск по latency|допуск латентности|допуск по латентности|допустимое ухудшение задержки|допустимая задержка|допустимый рост задержки|допуск по времени ответа|latency допуск"},
	{anywhere, term{"", inDrift}, "drift|drift metrics|drift metric|drift monitoring|drift checks|drift signals|drift indicators|data drift|distribution drift|drift detection|drift measures|метрики дрейфа|дрейф|дрифт|метрики дрифта|контроль дрейфа|мониторинг дрейфа|показатели дрейфа|метрика дрейфа|проверки дрейфа"},
	{anywhere, term{ManualQA, ""}, "manual qa|manual review|human review|human evaluation|human eval|manual check|manual checks|manual qa samples|qa|spot check|spot checks|manual evaluation|manual inspection|ручная проверка|ручной контроль|ручное qa|ручной qa|ручная оценка|ручная вычитка|ручной просмотр|выборочная проверка"},

	{anywhere, term{RollbackTarget, inRollback}, "rollback|rollback target|rollback model|rollback to|roll back to|roll back target|fallback|fallback model|fallback to|revert to|previous model|откат|откат на|цель отката|модель отката|модель для отката|откатываемся на|откат к|резервная модель|предыдущая модель"},
	{anywhere, term{Pointer, ""}, "pointer|pointer path|pointer file|model pointer|deployment pointer|deploy pointer|model pointer file|deployment pointer path|rollback pointer|указатель|путь к указателю|файл указателя|указатель модели|указатель развертывания|путь указателя"},
	{anywhere, term{RecoveryGate, ""}, "recovery gate|recovery benchmark|recovery check|recovery criteria|recovery criterion|rollback gate|recovery verification|rollback verification|recovery command|recovery|проверка восстановления|критерий восстановления|гейт восстановления|ворота восстановления|восстановление|проверка после отката|порог восстановления"},
	{anywhere, term{RollbackTrigger, ""}, "rollback trigger|rollback triggers|trigger|triggers|rollback criteria|rollback condition|rollback conditions|rollback procedure|procedure|steps|триггер отката|условие отката|условия отката|триггер|триггеры|когда откатываем|порядок отката|процедура отката|процедура"},

	{anywhere, term{TargetRelease, inRelease}, "target release|release|release version|target version|release tag|planned release|release target|ships in|ship in|release train|target release version|целевой релиз|релиз|версия релиза|тег релиза|планируемый релиз|целевая версия|выпуск|целевой выпуск"},
	{anywhere, term{"", inWaivers}, "waivers|waiver|exceptions|исключения|послабления"},
	{anywhere, term{"", inOutput}, "output|outputs|output dir|output directory|output path|artifacts|artefacts|artifact|results|results path|report|checkpoints|writes|produces|save to|saved to|logs|log dir|выход|вывод|результат|результаты|артефакты|каталог результатов|куда пишем|отчет|логи|чекпоинты"},
	{anywhere, term{"", inNothing}, "outstanding|open questions|open points|open items|todo|todos|notes|note|next steps|risks|changelog|change log|history|out of scope|non goals|background|motivation|objective|goal|goals|why|открытые вопросы|открытые пункты|осталось сделать|примечания|примечание|заметки|риски|история|мотивация|цель|цели|зачем"},

	// Inside a dataset.
	{inDataset, term{Dataset, inDataset}, "where|где|path|uri|url|file|location|jsonl|source|s3|object|train|training|путь|файл|адрес|расположение|обучение"},
	{inDataset, term{DatasetID, inDataset}, "name|id|имя|название"},
	{inDataset, term{DatasetSHA256, ""}, "sha256|sha 256|hash|digest|checksum|sha256 hash|sha256 digest|sha256sum|sha|хеш|хэш|дайджест|контрольная сумма|сумма"},
	{inDataset, term{Records, ""}, "records|count|number of records|n|size|rows|lines|samples|examples|sample count|record count|число записей|количество|записей|записи|строк|примеров|размер|объем|объём"},
	{inDataset, term{DataCard, inCard}, "card|data card|карточка"},
	{inDataset, term{EvaluationDataset, inEvaluation}, "evaluation|eval|holdout|held out|hold out|test|validation|val|оценка|тест|валидация"},
	{inDataset, term{Locale, ""}, "language|locale|язык|локаль"},
	{inDataset, term{DatasetLicence, ""}, "licence|license|лицензия"},

	{inEvaluation, term{EvaluationDataset, inEvaluation}, "where|где|dataset|data|path|uri|url|file|location|jsonl|source|s3|object|датасет|данные|путь|файл|адрес|расположение|набор данных"},
	{inEvaluation, term{"", inEvaluation}, "name|id|dataset id|имя|название"},
	{inEvaluation, term{EvaluationSHA256, ""}, "sha256|sha 256|hash|digest|checksum|sha256 hash|sha256 digest|sha256sum|sha|dataset sha256|dataset hash|хеш|хэш|дайджест|контрольная сумма|сумма|хеш датасета"},
	{inEvaluation, term{EvaluationRecords, ""}, "records|count|number of records|n|size|rows|lines|samples|examples|sample count|record count|число записей|количество записей|количество|записей|записи|строк|примеров|размер|объем|объём"},
	{inEvaluation, term{"", inCard}, "card|data card|карточка|карточка данных"},
	{inEvaluation, term{"", inEvaluation}, "language|locale|язык|локаль|licence|license|лицензия"},

	{inBaseline, term{BaselineModel, inBaseline}, "name|model|id|checkpoint|model name|model id|имя|модель|название|чекпоинт"},
	{inBaseline, term{BaselineVersion, ""}, "version|tag|revision|версия|тег|ревизия"},
	{inBaseline, term{BaselineDigest, ""}, "digest|sha256|hash|checksum|sha|дайджест|хеш|хэш|контрольная сумма"},
	{inBaseline, term{"", inNothing}, "config|commit|registry|status|path|source|metrics|source code|реестр"},
	{inTarget, term{TargetModel, inTarget}, "name|model|id|model name|model id|имя|модель|название"},
	{inTarget, term{"", inNothing}, "version|digest|base|registry|status|path|output|версия|реестр"},
	{inPrompt, term{PromptVersion, ""}, "version|id|name|tag|версия|имя"},
	{inPrompt, term{PromptFile, ""}, "file|path|template|source|файл|путь|шаблон"},
	{inPrompt, term{"", inNothing}, "sha256|hash|digest|commit|revision|хеш"},
	{inHyper, term{LearningRate, ""}, "rate|lr|learning rate"},
	{inHyper, term{MaxInputTokens, ""}, "tokens|length|max input|max source tokens|max prompt length|cutoff"},
	{inHyper, term{Optimiser, ""}, "algorithm|optimiser|optimizer"},
	{inHyper, term{TargetModel, inTarget}, "model|модель"},
	{inHyper, term{Hours, ""}, "time|время|срок"},

	{inCompute, term{Hardware, ""}, "hardware|type|gpu|gpu type|model|accelerator|machine|instance|device|node|тип|модель|железо|карта|ускоритель|видеокарта|оборудование"},
	{inCompute, term{HardwareCount, ""}, "count|number|quantity|gpus|gpu count|devices|how many|num|n|nodes|количество|число|кол во|штук|карт"},
	{inCompute, term{Hours, ""}, "hours|time|estimate|estimated hours|duration|estimated time|budget|wall clock|gpu hours|walltime|часы|часов|время|оценка|длительность|бюджет|оценка часов"},
	{inCompute, term{"", inNothing}, "memory|vram|ram|region|provider|cost|price|driver|cuda|память|регион|стоимость"},

	{inRepro, term{Commit, ""}, "sha|hash|git|commit|revision|rev|ревизия|хеш"},
	{inRepro, term{DatasetSHA256, ""}, "dataset sha256|dataset|data hash|sha256 dataset"},
	{inRepro, term{"", inNothing}, "branch|repo|repository|docker|image|container|env|environment|requirements|python|framework|library|ветка|репозиторий|образ|окружение|command|commands|launch command|команда|команда запуска"},
	{inRepro, term{Config, ""}, "config|file|конфиг"},

	{inAcceptance, term{EvaluationDataset, inEvaluation}, "dataset|data|samples|benchmark dataset|eval dataset|датасет|данные|выборка|набор данных"},
	{inAcceptance, term{EvaluationSHA256, ""}, "sha256|hash|dataset sha256|dataset hash|хеш|хеш датасета"},
	{inAcceptance, term{EvaluationRecords, ""}, "records|record count|number of records|dataset size|записей|число записей|количество записей"},
	{inAcceptance, term{"", inNothing}, "baseline|target|candidate|current|owner|model|release|commit|script|command|lead|contact|task|author|бейзлайн|цель|кандидат|модель|скрипт|ответственный|duration|runtime|hardware|gpu|compute|seed|prompt|config|trigger|triggers|procedure"},

	{inMetrics, term{"", inMetrics}, "results|metrics|scores|values|метрики|результаты"},
	{inMetrics, term{"", inNothing}, "baseline|target|candidate|current|owner|author|records|sha256|hash|hardware|gpu|compute|duration|runtime|config|script|dataset sha256|dataset|data|model|run|date|command|prompt|prompt version|source|samples|датасет|модель|запуск|дата|команда|baseline|baseline model|scenario|seed|commit|records|snapshot|report"},
	{inDrift, term{"", inDrift}, "metrics|metric|signals|метрики"},
	{inDrift, term{"", inNothing}, "dashboard|alert|alerts|tool|owner|reference|window|threshold|дашборд|окно|порог|cadence|schedule"},

	{inRollback, term{RollbackTarget, ""}, "target|model|to|baseline|name|version|checkpoint|previous|цель|модель|на|версия|на модель|baseline model|базовая модель"},
	{inRollback, term{Pointer, ""}, "pointer|file|path|указатель|файл|путь|via"},
	{inRollback, term{RecoveryGate, ""}, "gate|check|verification|verify|проверка|критерий"},
	{inRollback, term{"", inNothing}, "owner|responsible|contact|time|runbook|command|commands|release|prompt|dataset|commit|config|script|ответственный|время|команда|ранбук|latency|hours|eta"},

	{inRelease, term{TargetRelease, ""}, "version|tag|target|number|версия|тег|номер"},
	{inRelease, term{"", inNothing}, "date|window|freeze|notes|owner|release notes|manager|release manager|channel|contact|dri|responsible|model|data|дата|окно|владелец|ответственный|канал|status|lead"},

	{inCard, term{DataCard, ""}, "path|file|путь|файл"},
	{inCard, term{"", inNothing}, "sha256|hash|licence|license|retention|records|size"},
}

// sections are the headings that people write, and what stands under them.
var sectionWords = []struct {
	section Section
	opens   group
	names   string
}{
	{SectionObjective, anywhere, "objective|objectives|goal|goals|purpose|summary|overview|motivation|metadata|general|pilot|цель|цели|задача|обзор|общие сведения|общее|назначение|сводка|метаданные"},
	{SectionInputs, anywhere, "inputs|input|data and models|inputs and artefacts|inputs and artifacts|data and prompts|prerequisites|models|входные данные|входы|исходные данные|на входе|данные и модели|вход|исходные материалы|модели"},
	{SectionBaseline, inMetrics, "baseline metrics|baseline|baselines|baseline results|baseline benchmark|current quality|where we are|baseline performance|baseline evaluation|базовые метрики|бейзлайн|базовая линия|метрики бейзлайна|метрики базовой модели|базовые показатели|текущее качество|исходные метрики"},
	{SectionFineTuning, inHyper, "fine tuning configuration|fine tuning config|finetuning configuration|fine tuning|finetuning|fine tune|training|training configuration|training config|training setup|training plan|configuration|hyperparameters|how we train|tuning|конфигурация дообучения|конфигурация обучения|конфигурация|настройка дообучения|параметры дообучения|дообучение|обучение|параметры обучения|гиперпараметры|настройки обучения|конфигурация fine tuning|fine tuning конфигурация|файнтюнинг|конфигурация файнтюнинга"},
	{SectionEvaluation, inAcceptance, "evaluation plan|evaluation|eval plan|evaluation and acceptance|evaluation strategy|how we judge|acceptance|acceptance criteria|acceptance thresholds|success criteria|validation plan|validation|quality gates|план оценки|оценка|оценивание|приемка|критерии приемки|критерии успеха|план оценивания|план проверки|оценка качества|план валидации"},
	{SectionRollback, inRollback, "rollback|roll back|rollback plan|rollback procedure|fallback|rollback strategy|rollback and recovery|recovery|откат|план отката|откат и восстановление|процедура отката|стратегия отката"},
	{SectionRelease, inRelease, "release coordination|release|release plan|release planning|releases|rollout|roll out|shipping|release and rollout|координация релиза|релиз|план релиза|выпуск|согласование релиза|координация выпуска|план выпуска|релизная координация"},
	{SectionOutstanding, inNothing, "outstanding|outstanding items|open questions|open items|open points|todo|next steps|action items|follow ups|risks|risks and open questions|открытые вопросы|осталось|не решено|осталось сделать|открытые пункты|нерешенное|незакрытые вопросы|дальнейшие шаги|риски|оставшиеся вопросы"},
	{SectionWaivers, inWaivers, "waivers|waiver|exceptions|исключения|послабления|отступления"},
	{SectionOther, inDrift, "drift|drift metrics|drift monitoring|data drift|monitoring of drift|дрейф|метрики дрейфа|мониторинг дрейфа|дрифт"},
	{SectionOther, inRepro, "reproducibility|provenance|воспроизводимость"},
	{SectionOther, inCompute, "compute|hardware|resources|compute budget|вычисления|ресурсы|вычислительные ресурсы|оборудование|железо"},
	{SectionOther, inDataset, "dataset|training dataset|training data|data|датасет|данные|обучающие данные|обучающий датасет"},
	{SectionOther, inEvaluation, "evaluation dataset|eval dataset|evaluation data|holdout|holdout dataset|оценочный датасет|датасет оценки|данные для оценки|отложенная выборка"},
	{SectionOther, inNothing, "history|changelog|change log|revision history|references|links|glossary|appendix|approvals|sign off|signoff|notes|background|context|related work|commands|commands executed|how to run|история|история изменений|ссылки|глоссарий|приложение|согласование|согласования|заметки|примечания|контекст|предыстория|команды|как запустить"},
}

// weakKeys often mean what the table says, and sometimes not: the owner of a
// pilot is mostly its initiator. Their values are concluded, not stated: a
// plainer key goes before them, and they contradict nothing.
var weakKeys = weakKeySet("who|кто|owner|pilot owner|author|responsible|contact|dri|lead|proposed by|ответственный|владелец|владелец пилота|автор|контакт|заказчик|" +
	"task|use case|usecase|задача|кейс|export|snapshot|samples|выгрузка|выборка|" +
	"baseline|target|candidate|current model|production model|бейзлайн|базлайн|кандидат|текущая модель|" +
	"machine|machine type|node|nodes|instance|instance type|cluster|infrastructure|resources|машина|кластер|ресурсы|инфраструктура|мощности|" +
	"duration|runtime|eta|time budget|wall time|длительность|продолжительность|workflow|pipeline|пайплайн|context|контекст|sha")

func weakKeySet(names string) map[string]bool {
	set := map[string]bool{}
	for name := range strings.SplitSeq(names, "|") {
		set[normalKey(name)] = true
	}
	return set
}

type groupedKey struct {
	in  group
	key string
}

// The tables above, by key; built once when the program starts and only read
// afterwards.
var (
	termOf    = indexTerms()
	sectionOf = indexSections()
)

type sectionTerm struct {
	section Section
	opens   group
}

func indexTerms() map[groupedKey]term {
	index := make(map[groupedKey]term)
	for _, row := range vocabulary {
		for name := range strings.SplitSeq(row.names, "|") {
			k := groupedKey{row.in, normalKey(name)}
			if _, taken := index[k]; !taken {
				index[k] = row.term
			}
		}
	}
	return index
}

func indexSections() map[string]sectionTerm {
	index := make(map[string]sectionTerm)
	for _, row := range sectionWords {
		for name := range strings.SplitSeq(row.names, "|") {
			if _, taken := index[normalKey(name)]; !taken {
				index[normalKey(name)] = sectionTerm{row.section, row.opens}
			}
		}
	}
	return index
}

// normalKey makes spellings of one key equal: case, ё, hyphens, underscores
// and marks do not matter.
func normalKey(s string) string {
	var b strings.Builder
	b.Grow(len(s) + 4)
	space := false
	var last rune
	for _, r := range s {
		switch {
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			// maxInputTokens is max input tokens.
			if space || unicode.IsUpper(r) && unicode.IsLower(last) {
				if b.Len() > 0 {
					b.WriteByte(' ')
				}
			}
			space = false
			last = r
			r = unicode.ToLower(r)
			if r == 'ё' {
				r = 'е'
			}
			b.WriteRune(r)
		default:
			space = true
			last = 0
		}
	}
	return strings.ReplaceAll(b.String(), "sha 256", "sha256")
}

// maxKey is the longest key in bytes: longer text before a colon is a sentence.
const maxKey = 120

// lookUp finds what a key means where it stands.
func lookUp(in group, key string) (term, bool) {
	if len(key) > maxKey {
		return term{}, false
	}
	try := func(k string) (term, bool) {
		k = normalKey(k)
		if k == "" {
			return term{}, false
		}
		if isCardGroup(in) {
			if t, ok := cardTermOf[groupedKey{in, k}]; ok {
				return t, true
			}
			t, ok := cardTermOf[groupedKey{inCardDocument, k}]
			return t, ok
		}
		if t, ok := termOf[groupedKey{in, k}]; ok {
			return t, true
		}
		if t, ok := termOf[groupedKey{anywhere, k}]; ok {
			return t, true
		}
		return compound(k)
	}
	if t, ok := try(key); ok {
		return t, true
	}
	if i := strings.IndexByte(key, '('); i >= 0 {
		inner := strings.Trim(key[i:], "() ")
		if t, ok := try(key[:i] + " " + inner); ok {
			return t, true
		}
		if t, ok := try(key[:i]); ok {
			return t, true
		}
		if t, ok := try(inner); ok {
			return t, true
		}
	}
	if strings.Contains(key, "/") && !isPath(key, true) {
		for part := range strings.SplitSeq(key, "/") {
			if t, ok := try(part); ok {
				return t, true
			}
		}
	}
	return term{}, false
}

// compound reads a key that is one inside of another: "evaluation dataset
// number of records", "baseline model version".
func compound(k string) (term, bool) {
	for i := range len(k) {
		if k[i] != ' ' {
			continue
		}
		switch outer := termOf[groupedKey{anywhere, k[:i]}]; outer.opens {
		case inDataset, inEvaluation, inBaseline, inPrompt, inCompute:
			if t, ok := termOf[groupedKey{outer.opens, k[i+1:]}]; ok {
				return t, true
			}
		}
	}
	return term{}, false
}

// lookUp finds what a key means among its siblings: "SHA-256" in the bullet
// behind the dataset's is the dataset's, behind the evaluation dataset's is that one's.
func (r *reader) lookUp(ctx context, key string) (term, bool) {
	t, ok := lookUp(ctx.group, key)
	if r.kind != planDocument || r.about == anywhere || len(key) > maxKey {
		return t, ok
	}
	k := normalKey(key)
	own, related := termOf[groupedKey{r.about, k}]
	switch {
	case !related || k == "size" || k == "размер" || k == "объем":
		return t, ok
	case !ok:
		switch own.field {
		case DatasetSHA256, Records, EvaluationSHA256, EvaluationRecords, DataCard, BaselineDigest, BaselineVersion:
			return own, true
		}
	case r.about == inEvaluation && (t.field == DatasetSHA256 || t.field == Records) && len(r.fields[t.field]) > 0:
		return own, true
	}
	return t, ok
}

// lookUpSection finds what a heading opens. Numbers in front do not matter:
// "3.2 Fine-Tuning Configuration".
func lookUpSection(heading string) (sectionTerm, bool) {
	try := func(h string) (sectionTerm, bool) {
		k := strings.TrimLeft(normalKey(h), "0123456789 ")
		k = strings.TrimPrefix(strings.TrimPrefix(k, "section "), "раздел ")
		t, ok := sectionOf[strings.TrimLeft(k, "0123456789 ")]
		return t, ok
	}
	if len(heading) > 2*maxKey {
		return sectionTerm{}, false
	}
	if t, ok := try(heading); ok {
		return t, true
	}
	for _, cut := range []string{"(", " / ", "/", " — ", " – ", ": "} {
		for part := range strings.SplitSeq(heading, cut) {
			if t, ok := try(part); ok && part != heading {
				return t, true
			}
		}
	}
	return sectionTerm{}, false
}
